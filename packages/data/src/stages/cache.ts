// Elements that are made once: the first pass that runs to its end fills the memory that later passes read.
import type { Stage } from './stage.ts'

/** Remembers all elements. A pass that was left early, or began in the middle, remembers nothing. */
export function cacheStage<T>(upstream: Stage<T>): Stage<T> {
  let kept: readonly T[] | undefined
  return {
    get size() {
      return kept?.length ?? upstream.size
    },
    async *open(run) {
      if (kept) {
        for (let i = run.from; i < kept.length; i++) {
          run.signal.throwIfAborted()
          yield kept[i]!
        }
        return
      }
      const seen: T[] = []
      for await (const element of upstream.open(run)) {
        if (run.from === 0) seen.push(element)
        yield element
      }
      if (run.from === 0) kept = seen
    },
  }
}
