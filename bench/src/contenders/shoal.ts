// Shoal itself, once for each way of computing that is compared: threads, strict arithmetic, other kernels.
import type { Device } from '@shoal/core'
import { NDArray, Session } from '@shoal/core'
import type { Contender } from '../contender.ts'
import { sideOf } from '../contender.ts'
import type { Task } from '../work.ts'
import { graphOf } from './shoalTasks.ts'

/** A way of using Shoal. */
export interface ShoalOptions {
  readonly name: string
  readonly version: string
  readonly device: () => Device & { ready?(): Promise<void> }
  /** Which tasks this way is measured on. Default: all. */
  readonly takes?: (task: Task) => boolean
}

/** Shoal on a device. */
export const shoal = ({ name, version, device, takes = () => true }: ShoalOptions): Contender => ({
  name,
  version,
  async prepare(work) {
    if (!takes(work)) return undefined
    const { answer, run, feeds: hosts } = graphOf(work)
    // What an op costs shows only where every op is a kernel of its own.
    const computer = device()
    const session = new Session({ devices: [computer], fusion: work.kind !== 'adds' })
    await session.initialize(answer, ...run)
    const feeds = hosts.map(
      ([tensor, { data, shape }]) => [tensor, new NDArray(tensor.dtype, shape, data)] as const,
    )
    const runs = sideOf({
      run: () => session.runSync(run, feeds),
      async result() {
        if (work.kind !== 'train') return (await session.run(answer, feeds)).data as Float32Array
        const losses = new Float32Array(3)
        for (let i = 0; i < losses.length; i++) {
          const [loss] = await session.run(run, feeds)
          losses[i] = (loss as NDArray<'float32'>).item() as number
        }
        return losses
      },
      close: () => session.close(),
    })
    return {
      ...runs,
      async sample(repeats) {
        // Until its threads have the code, the calling one computes alone.
        await computer.ready?.()
        return runs.sample(repeats)
      },
    }
  },
})
