// Whoever takes part in a comparison: asked to prepare a work, it answers with something that can be timed and checked.
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

/** A sample is taken again when the system gave the processor to somebody else in the meantime; the last try counts as it is. */
const tries = 4
/** How often the system took the processor from this process. */
export const interruptions = (): number => process.resourceUsage().involuntaryContextSwitches

/** Times runs in this process. */
export const sideOf = ({ run, result, close }: Runs): Side => ({
  async sample(repeats) {
    let best = Infinity
    for (let i = 0; i < tries; i++) {
      const before = interruptions()
      const start = performance.now()
      for (let k = 0; k < repeats; k++) {
        const pending = run()
        if (pending instanceof Promise) await pending
      }
      best = Math.min(best, performance.now() - start)
      if (interruptions() === before) break
    }
    return best / repeats
  },
  result,
  close: async () => close?.(),
})
