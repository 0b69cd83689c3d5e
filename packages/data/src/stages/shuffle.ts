// Random order: a permutation where elements can be had in any order, else a buffer that is drawn from and refilled.
import { ValueError } from '@shoal/core'
import { Random } from '../random.ts'
import type { Stage } from './stage.ts'
import { sequential } from './stage.ts'

/** How to shuffle. */
export interface ShuffleOptions {
  /** A whole number; the same seed gives the same orders. */
  readonly seed: number
  /** How many elements are held to draw from. The whole dataset when left out, which then must have a known size. */
  readonly bufferSize?: number
  /** A new order in each epoch? Yes, when left out. */
  readonly reshuffleEachIteration?: boolean
}

/** The elements in random order. @throws ValueError when neither size nor bufferSize is known. */
export function shuffleStage<T>(upstream: Stage<T>, options: ShuffleOptions): Stage<T> {
  const { seed, reshuffleEachIteration = true } = options
  const { size, at } = upstream
  const bufferSize = options.bufferSize ?? size
  if (bufferSize === undefined || bufferSize === Infinity)
    throw new ValueError('shuffle needs a bufferSize: the size of the dataset is not known')
  const random = (epoch: number) => new Random(seed, reshuffleEachIteration ? epoch + 1 : 0)

  if (at && size !== undefined && bufferSize >= size)
    return {
      size,
      async *open({ from, epoch, signal }) {
        const order = permutation(size, random(epoch))
        for (let i = from; i < size; i++) {
          signal.throwIfAborted()
          yield at(order[i]!)
        }
      },
    }

  return sequential(size, async function* (run) {
    const draw = random(run.epoch)
    const buffer: T[] = []
    for await (const element of upstream.open(run)) {
      if (buffer.length < bufferSize) {
        buffer.push(element)
        continue
      }
      const i = draw.below(bufferSize)
      const drawn = buffer[i]!
      buffer[i] = element
      yield drawn
    }
    for (const i of permutation(buffer.length, draw)) yield buffer[i]!
  })
}

/** Fisher and Yates. */
function permutation(size: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: size }, (_, i) => i)
  for (let i = size - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}
