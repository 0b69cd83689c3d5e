// Bags: for each member of an ensemble a sample of its own, as large as the dataset and drawn from it with replacement.
import { ValueError } from '@shoal/core'
import { Dataset, Random } from '@shoal/data'

/**
 * A bootstrap sample (Breiman, Bagging predictors, 1996): as many elements as the dataset has, some of them several times, about 37 % not at all.
 * They come in the dataset's own order, those drawn several times one after the other: shuffle them afterwards. Each pass gives the same ones, those of
 * the dataset's epoch 0. Nothing is held in memory but four bytes for each element.
 * @param options.seed a whole number; the same seed gives the same sample.
 * @throws ValueError for a dataset whose size is not known or without end.
 */
export function bag<T>(dataset: Dataset<T>, { seed }: { readonly seed: number }): Dataset<T> {
  const { size } = dataset
  if (size === undefined || size === Infinity)
    throw new ValueError(
      'bag needs a dataset whose size is known: cache it and read it once, or take a stated number of elements',
    )
  if (!Number.isSafeInteger(seed)) throw new ValueError(`seed is ${seed}; it must be a whole number`)
  const times = new Uint32Array(size)
  const random = new Random(seed)
  for (let i = 0; i < size; i++) times[random.below(size)]!++
  const drawn = async function* ({ signal }: { readonly signal: AbortSignal }): AsyncGenerator<T> {
    let index = 0
    for await (const element of dataset.iterate({ signal, epoch: 0 })) {
      for (let left = times[index++]!; left > 0; left--) yield element
    }
  }
  return Dataset.from(drawn, size)
}
