// The devices that an example was asked to run on.
import type { Device } from '@shoal/core'
import { PlacementError, reference, ValueError } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import type { CommonArguments } from './arguments.ts'

/**
 * The devices of `--device` for a session: the one that is named, and behind `webgpu` also the cpu, which takes what the GPU has no
 * kernel for. Those of the cpu have the threads of `--threads`. Prints what is missing and ends the process with 2 when there is no such device.
 */
export async function chooseDevices({
  device,
  threads,
}: Pick<CommonArguments, 'device' | 'threads'>): Promise<readonly Device[]> {
  try {
    const chosen = await openDevice(device, threads)
    return device === 'webgpu' ? [chosen, cpu({ threads })] : [chosen]
  } catch (error) {
    if (!(error instanceof PlacementError || error instanceof ValueError)) throw error
    console.error(`--device ${device}: ${error.message}`)
    return process.exit(2)
  }
}

/**
 * Opens the device of a name.
 * @throws ValueError for a name that is none of cpu, webgpu and reference, PlacementError when there is no adapter for WebGPU
 */
export async function openDevice(name: string, threads: number): Promise<Device> {
  if (name === 'cpu') return cpu({ threads })
  if (name === 'reference') return reference()
  if (name !== 'webgpu') throw new ValueError(`a device is cpu, webgpu or reference, not '${name}'`)
  // Who asks for another device needs nothing of this one.
  const { webgpu } = await import('@shoal/kernels-webgpu')
  return webgpu()
}
