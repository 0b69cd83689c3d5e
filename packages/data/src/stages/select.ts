// Stages that choose by position: take, skip, shard, repeat. They count, and so can begin anywhere at no cost.
import type { Stage } from './stage.ts'
import { sequential } from './stage.ts'

/** The first `count` elements. */
export const takeStage = <T>(upstream: Stage<T>, count: number): Stage<T> => ({
  size: upstream.size === undefined ? (count === 0 ? 0 : undefined) : Math.min(count, upstream.size),
  at: upstream.at,
  async *open(run) {
    let left = count - run.from
    if (left <= 0) return
    for await (const element of upstream.open(run)) {
      yield element
      // Asked before the next pull, so that no element is made in vain.
      if (--left === 0) return
    }
  },
})

/** All but the first `count` elements. */
export function skipStage<T>(upstream: Stage<T>, count: number): Stage<T> {
  const { at, size } = upstream
  return {
    size: size === undefined ? undefined : Math.max(0, size - count),
    at: at && ((index) => at(index + count)),
    open: (run) => upstream.open({ ...run, from: run.from + count }),
  }
}

/** Every `count`-th element, beginning with number `index`. */
export function shardStage<T>(upstream: Stage<T>, count: number, index: number): Stage<T> {
  const { at, size } = upstream
  return {
    size: size === undefined ? undefined : Math.max(0, Math.ceil((size - index) / count)),
    at: at && ((i) => at(i * count + index)),
    async *open(run) {
      let wait = 0
      for await (const element of upstream.open({ ...run, from: run.from * count + index })) {
        if (wait === 0) yield element
        wait = (wait + 1) % count
      }
    },
  }
}

/** The whole stage `count` times over, each time as a new epoch; an empty stage stays empty however often it is repeated. */
export function repeatStage<T>(upstream: Stage<T>, count: number): Stage<T> {
  const { size } = upstream
  const total = size === 0 || count === 0 ? 0 : size === undefined ? undefined : size * count
  if (total === undefined) return repeatUncounted(upstream, count)
  return {
    size: total,
    async *open(run) {
      if (run.from >= total) return
      const first = size === Infinity ? 0 : Math.floor(run.from / size!)
      let from = size === Infinity ? run.from : run.from % size!
      for (let i = first; i < count; i++) {
        yield* upstream.open({ ...run, from, epoch: run.epoch + i })
        from = 0
      }
    },
  }
}

const repeatUncounted = <T>(upstream: Stage<T>, count: number): Stage<T> =>
  sequential(undefined, async function* (run) {
    for (let i = 0; i < count; i++) {
      let empty = true
      for await (const element of upstream.open({ ...run, epoch: run.epoch + i })) {
        empty = false
        yield element
      }
      if (empty) return
    }
  })
