// The worker of the page: whatever takes long happens here, and the page stays free to draw and to listen.
import { type ByteFile, DataError } from '@shoal/data'
import { webgpu } from '@shoal/kernels-webgpu'
import { chooseDevices } from './devices.ts'
import { Learner } from './learner.ts'
import type { Order, Report } from './messages.ts'

const tell = (report: Report): void => postMessage(report)

/** A file of digits, which is served beside this code. */
function served(name: string): ByteFile {
  const url = new URL(`digits/${name}`, import.meta.url)
  return {
    name: url.href,
    open: async () => {
      const { ok, status, body } = await fetch(url)
      if (ok && body) return body
      throw new DataError(`cannot be fetched: the server answered ${status}`, { file: url.href })
    },
  }
}

let opened: Promise<Learner> | undefined

async function follow(order: Order): Promise<void> {
  if (order.kind === 'open') {
    opened = open(order)
    await opened
    return
  }
  const learner = await opened!
  switch (order.kind) {
    case 'train': {
      const finished = await learner.train({
        step: (report) => tell({ kind: 'step', ...report }),
        tested: (report) => tell({ kind: 'tested', ...report }),
      })
      return tell({ kind: 'stopped', finished })
    }
    case 'pause':
      return learner.pause()
    case 'classify':
      return tell({ kind: 'classified', probabilities: await learner.classify(order.pixels) })
    case 'sample':
      return tell({ kind: 'sample', ...(await learner.sample()) })
    default:
      order satisfies never
  }
}

async function open({ settings }: Extract<Order, { kind: 'open' }>): Promise<Learner> {
  const { devices, kind, description } = await chooseDevices(settings, {
    isolated: crossOriginIsolated,
    processors: navigator.hardwareConcurrency,
    threads: new URL('threads.js', import.meta.url),
    openGpu: webgpu,
  })
  const learner = await Learner.open(settings, devices, served)
  tell({ kind: 'ready', device: kind, description, steps: learner.allSteps })
  return learner
}

addEventListener('message', ({ data }: MessageEvent<Order>) => {
  follow(data).catch((error: unknown) => {
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  })
})
