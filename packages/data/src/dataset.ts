// A Dataset is a recipe for a sequence: nothing runs until it is iterated, and each iteration starts anew.
import { ValueError } from '@shoal/core'
import type { IterateOptions } from './iterate.ts'
import { iterate } from './iterate.ts'
import { ahead } from './stages/ahead.ts'
import { cacheStage } from './stages/cache.ts'
import { concatStage, interleaveStage, zipStage } from './stages/combine.ts'
import type { WindowOptions } from './stages/gather.ts'
import { batchStage, unbatchStage, windowStage } from './stages/gather.ts'
import { repeatStage, shardStage, skipStage, takeStage } from './stages/select.ts'
import type { ShuffleOptions } from './stages/shuffle.ts'
import { shuffleStage } from './stages/shuffle.ts'
import type { Generate } from './stages/sources.ts'
import { arrayStage, generatorStage, iterableStage, tensorStage } from './stages/sources.ts'
import type { Stage } from './stages/stage.ts'
import { enumerateStage, filterStage, mapStage } from './stages/transform.ts'
import type { Batched, Sliced, Tensors } from './structure.ts'

/** Datasets under names or positions, to be zipped. */
export type Datasets = readonly Dataset<unknown>[] | { readonly [name: string]: Dataset<unknown> }
/** One element of each of several datasets. */
export type Zipped<S extends Datasets> = {
  -readonly [K in keyof S]: S[K] extends Dataset<infer T> ? T : never
}

/** A lazy sequence of elements of type T that can be iterated any number of times. */
export class Dataset<T> implements AsyncIterable<T> {
  readonly #stage: Stage<T>
  #epochs = 0

  private constructor(stage: Stage<T>) {
    this.#stage = stage
  }

  /**
   * A dataset of an array, of an iterable that starts anew each time, or of what a function generates on each call.
   * The function gets a signal that aborts when no more elements are wanted; `size` may state how many there will be.
   * @throws ValueError for an iterator, which would be used up after one pass.
   */
  static from<T>(
    source: readonly T[] | Iterable<T> | AsyncIterable<T> | Generate<T>,
    size?: number,
  ): Dataset<T> {
    if (typeof source === 'function') return new Dataset(generatorStage(source, size))
    if (Array.isArray(source)) return new Dataset(arrayStage(source as readonly T[]))
    return new Dataset(iterableStage(source as Iterable<T> | AsyncIterable<T>))
  }

  /**
   * The rows of NDArrays: element i of `{ image, label }` is `{ image: image[i], label: label[i] }`, sharing their memory.
   * @throws ShapeError when the first axes differ or one is a scalar.
   */
  static fromTensors<const S extends Tensors>(tensors: S): Dataset<Sliced<S>> {
    return new Dataset(tensorStage(tensors) as Stage<unknown> as Stage<Sliced<S>>)
  }

  /** Datasets side by side, as long as the shortest: `zip({ x, y })` has elements `{ x, y }`, `zip([x, y])` has `[x, y]`. */
  static zip<const S extends Datasets>(datasets: S): Dataset<Zipped<S>> {
    const keys = Object.keys(datasets)
    if (keys.length === 0) throw new ValueError('zip needs at least one dataset')
    const zipped = new Dataset(
      zipStage(Object.values(datasets).map((dataset: Dataset<unknown>) => dataset.#stage)),
    )
    const named = (parts: unknown[]) => Object.fromEntries(keys.map((key, i) => [key, parts[i]]))
    return (Array.isArray(datasets) ? zipped : zipped.map(named)) as unknown as Dataset<Zipped<S>>
  }

  /** The number of elements: undefined when only counting would tell, Infinity when there is no end. */
  get size(): number | undefined {
    return this.#stage.size
  }

  /** Goes over the elements; the same as `iterate()`. */
  [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    return this.iterate()
  }

  /**
   * Goes over the elements. A pass is resumed by `from` (elements already seen) and `epoch` (the one it was in):
   * with both stated, the rest is what the interrupted pass would have given.
   * @throws the signal's reason once it aborts; what a source or a function of the pipeline throws.
   */
  iterate({
    signal,
    from = 0,
    epoch = this.#epochs,
  }: IterateOptions = {}): AsyncGenerator<T, void, undefined> {
    this.#epochs = whole('epoch', epoch, 0) + 1
    return iterate(this.#stage, { signal, from: whole('from', from, 0), epoch })
  }

  /** All elements as an array; take care that they are few. */
  async toArray(options: IterateOptions = {}): Promise<T[]> {
    const elements: T[] = []
    for await (const element of this.iterate(options)) elements.push(element)
    return elements
  }

  /**
   * Random order, the same for the same seed and epoch. Cheapest straight after `from` or `fromTensors`, where only the
   * order is held in memory; elsewhere `bufferSize` elements are.
   * @throws ValueError without a bufferSize when the size is not known.
   */
  shuffle(options: ShuffleOptions): Dataset<T> {
    whole('seed', options.seed, Number.MIN_SAFE_INTEGER)
    if (options.bufferSize !== undefined) whole('bufferSize', options.bufferSize, 1)
    return new Dataset(shuffleStage(this.#stage, options))
  }

  /**
   * Stacks `size` elements along a new first axis, leaf by leaf. The last batch is smaller unless `dropRemainder`.
   * Iterating throws ShapeError or DTypeError when elements do not fit together.
   */
  batch(
    size: number,
    { dropRemainder = false }: { readonly dropRemainder?: boolean } = {},
  ): Dataset<Batched<T>> {
    const stage = batchStage(this.#stage, whole('batch size', size, 1), dropRemainder)
    return new Dataset(stage as Stage<Batched<T>>)
  }

  /**
   * The rows of each element one by one: undoes `batch`.
   * Iterating throws DTypeError or ShapeError for elements that are not NDArrays with equal first axes.
   */
  unbatch(): Dataset<Sliced<T>> {
    return new Dataset(unbatchStage(this.#stage) as Stage<Sliced<T>>)
  }

  /** Replaces each element by `fn(element, index)`. Up to `concurrency` (1) promises are awaited at once; order is kept. */
  map<U>(
    fn: (element: T, index: number) => U | Promise<U>,
    { concurrency = 1 }: { readonly concurrency?: number } = {},
  ): Dataset<U> {
    return new Dataset(mapStage(this.#stage, fn, whole('concurrency', concurrency, 1)))
  }

  /** The elements for which `keep` is true. */
  filter<U extends T>(keep: (element: T) => element is U): Dataset<U>
  filter(keep: (element: T) => boolean | Promise<boolean>): Dataset<T>
  filter(keep: (element: T) => boolean | Promise<boolean>): Dataset<T> {
    return new Dataset(filterStage(this.#stage, keep))
  }

  /** Makes up to `count` elements ahead while the consumer works. */
  prefetch(count: number): Dataset<T> {
    return new Dataset(ahead(this.#stage, whole('prefetch count', count, 1), (element) => element))
  }

  /** The first `count` elements. */
  take(count: number): Dataset<T> {
    return new Dataset(takeStage(this.#stage, whole('take count', count, 0)))
  }

  /** All but the first `count` elements, which are not even made where the pipeline can do without. */
  skip(count: number): Dataset<T> {
    return new Dataset(skipStage(this.#stage, whole('skip count', count, 0)))
  }

  /** The dataset `count` times over, or without end. Each time is an epoch of its own to the shuffles before it. */
  repeat(count: number = Infinity): Dataset<T> {
    return new Dataset(repeatStage(this.#stage, count === Infinity ? count : whole('repeat count', count, 0)))
  }

  /** Remembers the elements of the first complete pass and gives the same ones, in the same order, ever after. */
  cache(): Dataset<T> {
    return new Dataset(cacheStage(this.#stage))
  }

  /** These elements and then those of the others. */
  concat<U = T>(...others: readonly Dataset<U>[]): Dataset<T | U> {
    return new Dataset(concatStage<T | U>([this.#stage, ...others.map((other) => other.#stage)]))
  }

  /**
   * Makes a dataset of each element, keeps `cycleLength` (2) of them open and takes `blockLength` (1) elements of each in turn.
   * One that ends is replaced by the next. The order is always the same.
   */
  interleave<U>(
    fn: (element: T) => Dataset<U>,
    {
      cycleLength = 2,
      blockLength = 1,
    }: { readonly cycleLength?: number; readonly blockLength?: number } = {},
  ): Dataset<U> {
    const cycle = whole('cycleLength', cycleLength, 1)
    return new Dataset(
      interleaveStage(
        this.#stage,
        (element) => fn(element).#stage,
        cycle,
        whole('blockLength', blockLength, 1),
      ),
    )
  }

  /** Pairs of position and element. */
  enumerate(): Dataset<[index: number, element: T]> {
    return new Dataset(enumerateStage(this.#stage))
  }

  /** The part of worker `index` of `count`: every `count`-th element. Shard before shuffling, or give all workers one seed. */
  shard(count: number, index: number): Dataset<T> {
    whole('shard count', count, 1)
    if (whole('shard index', index, 0) >= count)
      throw new ValueError(`shard index ${index} is not below the count ${count}`)
    return new Dataset(shardStage(this.#stage, count, index))
  }

  /** Arrays of `size` elements: a sliding window where `shift` is smaller than `size`. */
  window(size: number, options: WindowOptions = {}): Dataset<T[]> {
    if (options.shift !== undefined) whole('shift', options.shift, 1)
    if (options.stride !== undefined) whole('stride', options.stride, 1)
    return new Dataset(windowStage(this.#stage, whole('window size', size, 1), options))
  }
}

function whole(what: string, value: number, least: number): number {
  if (!Number.isSafeInteger(value) || value < least)
    throw new ValueError(
      `${what} must be a whole number${least < 0 ? '' : ` of at least ${least}`}, not ${value}`,
    )
  return value
}
