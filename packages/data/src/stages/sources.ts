// Where elements come from: arrays, rows of tensors, and anything that can be iterated.
import { ValueError } from '@shoal/core'
import type { Tensors } from '../structure.ts'
import { lengthOf, slice } from '../structure.ts'
import type { Stage } from './stage.ts'
import { indexed, sequential } from './stage.ts'

/** Makes a fresh iteration; it may listen to `signal`, which aborts when nobody wants more elements. */
export type Generate<T> = (context: { readonly signal: AbortSignal }) => Iterable<T> | AsyncIterable<T>

/** The elements of an array. */
export const arrayStage = <T>(array: readonly T[]): Stage<T> => indexed(array.length, (i) => array[i]!)

/** The slices of tensors along their first axis. */
export const tensorStage = (tensors: Tensors): Stage<Tensors> =>
  indexed(lengthOf(tensors), (i) => slice(tensors, i))

/** What each call of a function generates. */
export const generatorStage = <T>(generate: Generate<T>, size: number | undefined): Stage<T> =>
  sequential(size, async function* ({ signal }) {
    for await (const element of generate({ signal })) {
      signal.throwIfAborted()
      yield element
    }
  })

/** What an object yields each time it is iterated. @throws ValueError for one that is used up after one iteration. */
export function iterableStage<T>(iterable: Iterable<T> | AsyncIterable<T>): Stage<T> {
  if ('next' in iterable)
    throw new ValueError(
      'an iterator is used up after one pass: give Dataset.from the function that makes it',
    )
  return generatorStage(() => iterable, undefined)
}
