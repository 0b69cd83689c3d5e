// Work that runs ahead of its consumer: concurrent maps and prefetching are the same queue of promises.
import type { Stage } from './stage.ts'

/**
 * Keeps `count` elements in the making while the consumer works. Order is kept; an error comes out where its element would.
 * Relies on what async generators promise: calls of next() that overlap are answered in order.
 */
export function ahead<T, U>(
  upstream: Stage<T>,
  count: number,
  fn: (element: T, index: number) => U | Promise<U>,
): Stage<U> {
  return {
    size: upstream.size,
    async *open(run) {
      const source = upstream.open(run)
      const queue: Promise<IteratorResult<U, void>>[] = []
      let index = run.from
      const pull = async (): Promise<IteratorResult<U, void>> => {
        const step = await source.next()
        return step.done ? step : { done: false, value: await fn(step.value, index++) }
      }
      const fill = (): void => {
        while (queue.length < count) {
          const step = pull()
          // An error that nobody waits for any more, because the consumer left, is nobody's.
          step.catch(() => {})
          queue.push(step)
        }
      }
      try {
        for (;;) {
          fill()
          const step = await queue.shift()!
          if (step.done) return
          fill()
          yield step.value
        }
      } finally {
        await source.return()
      }
    },
  }
}
