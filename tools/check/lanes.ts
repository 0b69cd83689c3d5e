// Checks that do not need each other, run side by side, and told in their order all the same.
import { availableParallelism } from 'node:os'

/**
 * Runs tasks, at most `lanes` at a time, and answers what they answer, in the order of the tasks. Long ones come first, best.
 * @param lanes default: one more than there are processors, since most wait for something now and then
 */
export async function* inLanes<T>(
  tasks: readonly (() => Promise<T>)[],
  lanes: number = availableParallelism() + 1,
): AsyncGenerator<T> {
  const waiting = tasks.map((task) => ({ task, ...Promise.withResolvers<T>() }))
  const answers = waiting.map(({ promise }) => promise)
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { task, promise, resolve } = next
      resolve(task())
      // Whoever asks for the answer hears of a failure.
      await promise.catch(() => undefined)
    }
  }
  for (let i = 0; i < lanes; i++) void lane()
  yield* answers
}
