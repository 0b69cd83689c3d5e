// Stages that look at one element at a time: map, filter, enumerate.
import { ahead } from './ahead.ts'
import type { Stage } from './stage.ts'
import { sequential } from './stage.ts'

/** Every element replaced by `fn(element, index)`; `concurrency` calls may be under way at once, order is kept. */
export function mapStage<T, U>(
  upstream: Stage<T>,
  fn: (element: T, index: number) => U | Promise<U>,
  concurrency: number,
): Stage<U> {
  if (concurrency > 1) return ahead(upstream, concurrency, fn)
  return {
    size: upstream.size,
    async *open(run) {
      let index = run.from
      for await (const element of upstream.open(run)) yield await fn(element, index++)
    },
  }
}

/** The elements that `keep` says yes to. */
export const filterStage = <T>(
  upstream: Stage<T>,
  keep: (element: T) => boolean | Promise<boolean>,
): Stage<T> =>
  sequential(upstream.size === 0 ? 0 : undefined, async function* (run) {
    for await (const element of upstream.open(run)) if (await keep(element)) yield element
  })

/** Every element with its position. */
export const enumerateStage = <T>(upstream: Stage<T>): Stage<[index: number, element: T]> => ({
  size: upstream.size,
  async *open(run) {
    let index = run.from
    for await (const element of upstream.open(run)) yield [index++, element]
  },
})
