// Shoal itself, once for each way of computing that is compared: threads, strict arithmetic, other kernels.
import type { Device, Tensor } from '@shoal/core'
import { NDArray, Session } from '@shoal/core'
import type { Contender } from '../contender.ts'
import { sideOf } from '../contender.ts'
import type { Task, Work } from '../work.ts'
import type { TaskGraph } from './shoalTasks.ts'
import { graphOf } from './shoalTasks.ts'

/** A way of using Shoal. */
export interface ShoalOptions {
  readonly name: string
  readonly version: string
  readonly device: () => Device & { ready?(): Promise<void> }
  /** Which tasks this way is measured on. Default: all. */
  readonly takes?: (task: Task) => boolean
}

/** A work in a session that can run it. */
export interface OpenWork {
  readonly session: Session
  readonly run: TaskGraph['run']
  readonly feeds: readonly (readonly [Tensor, NDArray])[]
  /** What a contender's side gives as its result. */
  result(): Promise<Float32Array>
}

/** Opens a session with a device, and puts there what the work begins with. */
export async function openWork(work: Work, device: Device): Promise<OpenWork> {
  const { answer, run, feeds: hosts } = graphOf(work)
  // What an op costs shows only where every op is a kernel of its own.
  const session = new Session({ devices: [device], fusion: work.kind !== 'adds' })
  await session.initialize(answer, ...run)
  const feeds = hosts.map(
    ([tensor, { data, shape }]) => [tensor, new NDArray(tensor.dtype, shape, data)] as const,
  )
  return {
    session,
    run,
    feeds,
    async result() {
      if (work.kind !== 'train') return (await session.run(answer, feeds)).data as Float32Array
      const losses = new Float32Array(3)
      for (let i = 0; i < losses.length; i++) {
        const [loss] = await session.run(run, feeds)
        losses[i] = (loss as NDArray<'float32'>).item() as number
      }
      return losses
    },
  }
}

/** Shoal on a device. */
export const shoal = ({ name, version, device, takes = () => true }: ShoalOptions): Contender => ({
  name,
  version,
  async prepare(work) {
    if (!takes(work)) return undefined
    const computer = device()
    const { session, run, feeds, result } = await openWork(work, computer)
    const runs = sideOf({
      run: () => session.runSync(run, feeds),
      result,
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
