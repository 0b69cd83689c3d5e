// Stages made of several: zip runs them side by side, concat one after the other, interleave takes turns.
import type { Stage } from './stage.ts'
import { sequential } from './stage.ts'

/** Tuples of one element of each, as long as all have one. */
export function zipStage(stages: readonly Stage<unknown>[]): Stage<unknown[]> {
  const sizes = stages.map((stage) => stage.size)
  const ats = stages.map((stage) => stage.at).filter((at) => at !== undefined)
  return {
    size: sizes.includes(undefined) ? undefined : Math.min(...(sizes as number[])),
    at: ats.length === stages.length ? (index) => ats.map((at) => at(index)) : undefined,
    async *open(run) {
      const sources = stages.map((stage) => stage.open(run))
      try {
        for (;;) {
          const steps = await Promise.all(sources.map((source) => source.next()))
          if (steps.some((step) => step.done)) return
          yield steps.map((step) => step.value)
        }
      } finally {
        await Promise.all(sources.map((source) => source.return()))
      }
    },
  }
}

/** All elements of the first, then all of the second, and so on. */
export function concatStage<T>(stages: readonly Stage<T>[]): Stage<T> {
  const sizes = stages.map((stage) => stage.size)
  return {
    size: sizes.includes(undefined) ? undefined : (sizes as number[]).reduce((sum, size) => sum + size, 0),
    async *open(run) {
      let left = run.from
      for (const stage of stages) {
        if (stage.size !== undefined && left >= stage.size) {
          left -= stage.size
        } else if (stage.size !== undefined) {
          yield* stage.open({ ...run, from: left })
          left = 0
        } else {
          for await (const element of stage.open({ ...run, from: 0 })) {
            if (left > 0) left--
            else yield element
          }
        }
      }
    },
  }
}

/** Each element becomes a stage; `cycle` of them are open at once and give `block` elements in turn. */
export const interleaveStage = <T, U>(
  upstream: Stage<T>,
  expand: (element: T) => Stage<U>,
  cycle: number,
  block: number,
): Stage<U> =>
  sequential(upstream.size === 0 ? 0 : undefined, async function* (run) {
    const outer = upstream.open(run)
    const open: AsyncGenerator<U, void, undefined>[] = []
    const next = async (): Promise<AsyncGenerator<U, void, undefined> | undefined> => {
      const step = await outer.next()
      return step.done ? undefined : expand(step.value).open(run)
    }
    try {
      while (open.length < cycle) {
        const inner = await next()
        if (!inner) break
        open.push(inner)
      }
      for (let turn = 0; open.length > 0; ) {
        turn %= open.length
        let ended = false
        for (let i = 0; i < block && !ended; i++) {
          const step = await open[turn]!.next()
          if (step.done) ended = true
          else yield step.value
        }
        // One that ended hands its place to the next of upstream, which has its turn a round later.
        const heir = ended ? await next() : open[turn]
        if (heir) open[turn++] = heir
        else open.splice(turn, 1)
      }
    } finally {
      await Promise.all([outer, ...open].map((source) => source.return()))
    }
  })
