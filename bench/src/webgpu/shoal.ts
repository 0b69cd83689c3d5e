// Shoal on a GPU, in Node and in a page alike: by the clock, or by that of the GPU.
import { webgpu } from '@shoal/kernels-webgpu'
import type { Contender } from '../contender.ts'
import { openWork } from '../contenders/shoal.ts'
import { gpuSideOf } from './side.ts'

/** How Shoal takes part. */
export interface GpuShoalOptions {
  readonly name: string
  readonly version: string
  /** Whose time is told: that of whoever waits, or that of the kernels alone, for which the adapter must have `timestamp-query`. */
  readonly clock: 'host' | 'kernels'
}

/** Shoal on the adapter that there is. */
export const gpuShoal = ({ name, version, clock }: GpuShoalOptions): Contender => ({
  name,
  version,
  async prepare(work) {
    const device = await webgpu()
    const { session, run, feeds, result } = await openWork(work, device)
    const once = () => session.run(run, feeds)
    const side = gpuSideOf({ run: once, result, close: () => session.close() }, () =>
      device.gpu.queue.onSubmittedWorkDone(),
    )
    if (clock === 'host') return side
    return {
      ...side,
      async sample(repeats) {
        let nanoseconds = 0
        for (let i = 0; i < repeats; i++)
          for (const kernel of await device.profile(once)) nanoseconds += kernel.nanoseconds
        return nanoseconds / repeats / 1e6
      },
    }
  },
})
