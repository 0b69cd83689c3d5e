// Which device the network is to run on, and how to say so: the GPU where there is one, and why not where there is none.
import type { Device } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import type { webgpu } from '@shoal/kernels-webgpu'
import type { Settings } from './settings.ts'

/** Devices for a session, and what to tell people of them. */
export interface ChosenDevices {
  /** In order of preference. What a GPU cannot do is left to the CPU. */
  readonly devices: readonly Device[]
  readonly kind: 'webgpu' | 'cpu'
  /** What computes, and why: a sentence. */
  readonly description: string
}

/** What the choice depends on besides settings. */
export interface Surroundings {
  /** May memory be shared with threads? Pages may where they are served with the headers for it. */
  readonly isolated: boolean
  /** Processors of the machine. */
  readonly processors: number
  /** Where the code of the CPU device's threads is. */
  readonly threads: URL
  /** Opens the GPU. */
  readonly openGpu: typeof webgpu
}

/** The devices to run on: never fails for want of a GPU. */
export async function chooseDevices(
  { device, threads }: Pick<Settings, 'device' | 'threads'>,
  surroundings: Surroundings,
): Promise<ChosenDevices> {
  const { isolated, processors, openGpu } = surroundings
  const count = isolated ? Math.min(threads, processors) : 1
  const processor = cpu({ threads: count, worker: surroundings.threads })
  const onProcessor = (why: string): ChosenDevices => ({
    devices: [processor],
    kind: 'cpu',
    description: `Runs on the CPU${threadsInWords(count, isolated)}: ${why}.`,
  })
  if (device === 'cpu') return onProcessor('it was asked to')
  try {
    const gpu = await openGpu()
    return {
      devices: [gpu, processor],
      kind: 'webgpu',
      description: `Runs on WebGPU: ${nameOf(gpu.adapterInfo)}.`,
    }
  } catch (error) {
    return onProcessor(error instanceof Error ? error.message : String(error))
  }
}

function threadsInWords(count: number, isolated: boolean): string {
  if (count > 1) return ` with ${count} threads`
  return isolated ? ' with one thread' : ' with one thread, since this page is not cross-origin isolated'
}

/** What an adapter tells of itself; browsers keep some of it to themselves. */
function nameOf({ vendor, architecture, description, isFallbackAdapter }: GPUAdapterInfo): string {
  const name = description || [vendor, architecture].filter(Boolean).join(' ') || 'an adapter without a name'
  return isFallbackAdapter ? `${name}, which is software` : name
}
