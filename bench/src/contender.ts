// Whoever takes part in a comparison: asked to prepare a work, it answers with something that can be timed and checked.
import { stopwatch } from './stopwatch.ts'
import type { Work } from './work.ts'

/** A work made ready by one contender. */
export interface Side {
  /** Milliseconds of one run: the mean of `repeats` runs in a row. */
  sample(repeats: number): Promise<number>
  /** What one run gives, in the layout of Shoal; of a training step the losses of the first three steps. */
  result(): Promise<Float32Array>
  close(): Promise<void>
}

/** A library, or one way of using it. */
export interface Contender {
  readonly name: string
  /** Name and version of what computes. */
  readonly version: string
  /** undefined where it has no such operation. */
  prepare(work: Work): Promise<Side | undefined>
  close?(): Promise<void>
}

/** What a contender in this process says of one work. */
export interface Runs {
  /** One run, ended when this returns or its promise is kept. */
  run(): unknown
  result(): Promise<Float32Array>
  close?(): Promise<void> | void
}

/** Times runs in this process. */
export const sideOf = ({ run, result, close }: Runs): Side => ({
  async sample(repeats) {
    const elapsed = stopwatch()
    for (let i = 0; i < repeats; i++) {
      const pending = run()
      if (pending instanceof Promise) await pending
    }
    return elapsed() / repeats
  },
  result,
  close: async () => close?.(),
})
