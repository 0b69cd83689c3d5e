// Is there a GPU for tests of tasks? One in software will do.
import { offerSoftwareGpu } from '@shoal/platforms/softwareGpu'
import type { LaunchPad } from './launching.ts'

/** Does a task that asks for a GPU get one here? */
export async function findsGpu(pad: LaunchPad): Promise<boolean> {
  offerSoftwareGpu()
  const task = await pad.launch('process.channel.unref()', { assignment: { devices: ['webgpu'] } })
  await task.ended
  return !task.services.lines.some((line) => line.includes('WebGPU finds no adapter'))
}
