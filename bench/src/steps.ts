// Training steps: time, and the memory that the device holds at most.
import type { Buffer, Device } from '@shoal/core'
import { ndarray, Session, sizeOf } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { format, time } from './measure.ts'
import type { Model } from './models.ts'
import { lenet, mlp } from './models.ts'

/** Counts the bytes that a device has given out. */
function metered(device: Device): { readonly device: Device; readonly peak: () => number } {
  let held = 0
  let peak = 0
  const counting = new Proxy(device, {
    get(target, key) {
      if (key === 'alloc')
        return (bytes: number): Buffer => {
          held += bytes
          peak = Math.max(peak, held)
          return target.alloc(bytes)
        }
      if (key === 'free')
        return (buffer: Buffer): void => {
          held -= buffer.bytes
          target.free(buffer)
        }
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
  return { device: counting, peak: () => peak }
}

async function measureStep(model: Model, batch: number, threads: number): Promise<string> {
  const { device, peak } = metered(cpu({ threads }))
  await using session = new Session({ devices: [device] })
  await session.initialize(model.step)
  const x = ndarray(
    Float32Array.from({ length: batch * sizeOf(model.example) }, (_, i) => Math.sin(i) ** 2),
    'float32',
    [batch, ...model.example],
  )
  const labels = ndarray(Int32Array.from({ length: batch }, (_, i) => i % 10))
  const feeds = [
    [model.feeds.x, x],
    [model.feeds.labels, labels],
  ] as const
  await session.run([model.loss, model.step], feeds)
  const timing = time(() => session.runSync([model.loss, model.step], feeds))
  return `| ${model.name} | ${batch} | ${threads} | ${format(timing)} | ${(peak() / 2 ** 20).toFixed(1)} |`
}

/** The table of training steps. */
export async function stepsTable(): Promise<string[]> {
  const rows: string[] = []
  for (const make of [mlp, lenet])
    for (const batch of [32, 128])
      for (const threads of [1, 2]) rows.push(await measureStep(make(), batch, threads))
  return [
    '| model | batch | threads | ms per step (quartiles) | device memory, MiB |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ]
}
