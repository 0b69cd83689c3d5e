// Gradients exchanged from within a graph: each bucket goes out as soon as its last gradient is there, beside the backward pass that makes the next one.
import type { HostFunction, NDArray, Node, RunContext, Tensor, TensorLike, TensorType } from '@shoal/core'
import {
  allocate,
  checkOptions,
  dtypes,
  GradientError,
  hostFunction,
  IndexedSlices,
  isConcrete,
  ndarray,
  NDArray as Values,
  optionRules,
  scope,
  sizeOf,
  toposort,
} from '@shoal/core'
import type { OptionRules } from '@shoal/core'
import type { GradientPair } from '@shoal/train'
import { ClosedError } from '@shoal/core'
import type { WireType } from '../transport/contract.ts'
import { meanOf } from './allReduce.ts'
import type { Exchange } from './exchange.ts'
import type { Group } from './group.ts'
import { Residuals } from './topK.ts'

/** How gradients are exchanged. */
export interface GradientExchangeOptions {
  /** Milliseconds that an exchange may take from the first gradient of a step, within which the slowest member has computed the last. */
  readonly deadlineMs: number
  /** How many examples this member's gradients are the mean of, a scalar: the result is the mean over all of them. Default: all members count alike. */
  readonly weight?: TensorLike
  /** What float32 gradients travel in. Default: float32. */
  readonly wire?: WireType
  /** Sends the share `topK` of the elements of each bucket, those of largest magnitude, and the others with later steps. Default: all are sent. */
  readonly compress?: { readonly topK: number }
  /**
   * Gradients are exchanged together until they have so many bytes. Default: a sixteenth of all that are not rows, but from 128 KiB to 4 MiB. The last
   * bucket is the one that no computation hides, so that it is to be a small part of the whole; below 128 KiB the latency of its messages is more than
   * what they carry takes at 1 Gb/s, and beyond 4 MiB fewer messages save nothing. It depends on the model alone, and is so the same at all members, of
   * however many groups to come.
   */
  readonly bucketBytes?: number
  /** The key of the exchange. Default 'gradients'. */
  readonly key?: string
}

const rules: OptionRules<GradientExchangeOptions> = {
  deadlineMs: optionRules.from(0),
  weight: optionRules.any,
  wire: optionRules.any,
  compress: optionRules.any,
  bucketBytes: optionRules.whole(1),
  key: optionRules.text,
}

/** What a bucket has by default of a model of so many bytes. */
const defaultBucketBytes = (modelBytes: number): number =>
  Math.min(Math.max(modelBytes / 16, 2 ** 17), 2 ** 22)

/** What is exchanged together: places in the list of gradients. */
interface Bucket {
  readonly places: readonly number[]
  readonly inputs: readonly Tensor[]
  readonly types: readonly TensorType[]
  /** What the part of this bucket is called. */
  readonly part: string
  /** Begins that part; its results are the values of `types`. */
  begin(exchange: Exchange, values: readonly NDArray[], weight: number): Promise<readonly NDArray[]>
}

/** An exchange that a run has begun. */
interface Run {
  readonly exchange: Exchange
  readonly results: Promise<readonly NDArray[]>[]
}

/**
 * The means of gradients over all members of a group, for the same variables: what `Optimizer.apply` takes. All members build the same graph and run it
 * equally often. No gradient comes out before all members have all of them, so that a step is taken by all or by none. Rows (IndexedSlices)
 * are gathered of all members, one after the other.
 * @param group whose members exchange; a function is asked in each run, where generations follow each other.
 * @throws GradientError without gradients, or for one whose shape is not known; a run throws an ExchangeError when the generation ends.
 */
export function allReduceGradients(
  group: Group | (() => Group),
  pairs: readonly GradientPair[],
  options: GradientExchangeOptions,
): GradientPair[] {
  checkOptions('allReduceGradients', options, rules)
  const { deadlineMs, weight = 1, key = 'gradients' } = options
  if (pairs.length === 0) throw new GradientError('there are no gradients to exchange')
  const buckets = bucketsOf(pairs, options)
  const runs = new WeakMap<RunContext, Run>()
  const present = (): Group => (typeof group === 'function' ? group() : group)

  const runOf = (context: RunContext): Run => {
    let run = runs.get(context)
    if (!run) {
      const exchange = present().begin(key, { deadlineMs, signal: context.signal })
      run = { exchange, results: [] }
      runs.set(context, run)
      context.onEnd(() => exchange.abandon(new ClosedError('its run ended before')))
    }
    return run
  }
  const begin =
    (bucket: Bucket, index: number): HostFunction =>
    async ([count, ...values], context) => {
      const { exchange, results } = runOf(context)
      const result = bucket.begin(exchange, values, count!.number())
      // A run that fails before its end waits for nothing.
      result.catch(() => undefined)
      results[index] = result
      await exchange.arrived(bucket.part)
      return [ndarray([1], 'int32', [])]
    }
  const end: HostFunction = async (_, context) => {
    const { exchange, results } = runs.get(context)!
    await exchange.end()
    return (await Promise.all(results)).flat()
  }
  return scope('allReduce', () => {
    const tokens = buckets.map((bucket, index) => {
      const types = [{ dtype: 'int32', shape: [] }] as const
      const options = { types, overlaps: true, name: 'begin' }
      return hostFunction([weight, ...bucket.inputs], begin(bucket, index), options)[0]!
    })
    const types = buckets.flatMap((bucket) => bucket.types)
    const outputs = hostFunction(tokens, end, { types, overlaps: true, name: 'end' }).values()
    const means = new Map(
      buckets.flatMap(({ places }) =>
        places.map((place) => [place, meanFrom(pairs[place]![0], outputs)] as const),
      ),
    )
    return pairs.map(([, variable], place) => [means.get(place)!, variable])
  })
}

const next = (outputs: Iterator<Tensor>): Tensor => outputs.next().value as Tensor

/** The gradient that takes the place of another, of the next outputs. */
function meanFrom(gradient: GradientPair[0], outputs: Iterator<Tensor>): GradientPair[0] {
  if (!(gradient instanceof IndexedSlices)) return next(outputs)
  const values = next(outputs)
  return new IndexedSlices(values, next(outputs), gradient.like)
}

/** Gradients in the order in which the backward pass makes them, put together until they are large enough. */
function bucketsOf(pairs: readonly GradientPair[], options: GradientExchangeOptions): readonly Bucket[] {
  const dense = pairs.flatMap(([gradient]) => (gradient instanceof IndexedSlices ? [] : [bytesOf(gradient)]))
  const { bucketBytes = defaultBucketBytes(dense.reduce((sum, bytes) => sum + bytes, 0)) } = options
  const residuals = new Residuals()
  const buckets: Bucket[] = []
  let places: number[] = []
  let bytes = 0
  const close = (): void => {
    if (places.length > 0)
      buckets.push(denseBucket(pairs, places, `dense ${buckets.length}`, residuals, options))
    places = []
    bytes = 0
  }
  for (const place of inOrder(pairs)) {
    const [gradient] = pairs[place]!
    if (gradient instanceof IndexedSlices) {
      buckets.push(sparseBucket(gradient, place, `rows ${buckets.length}`, options))
      continue
    }
    places.push(place)
    bytes += bytesOf(gradient)
    if (bytes >= bucketBytes) close()
  }
  close()
  return buckets
}

/**
 * Places of gradients by how long the longest way to each is: the backward pass makes them in this order, whatever the sizes of a member's batch are,
 * so that buckets are the same everywhere.
 */
function inOrder(pairs: readonly GradientPair[]): readonly number[] {
  const ends = pairs.map(([gradient]) => (gradient instanceof IndexedSlices ? gradient.values : gradient))
  const depths = new Map<Node, number>()
  for (const node of toposort({ fetches: ends, targets: [] })) {
    const before = [...node.inputs.map((t) => t.node), ...node.control]
    depths.set(
      node,
      before.reduce((most, n) => Math.max(most, depths.get(n)! + 1), 0),
    )
  }
  const depth = (place: number): number => depths.get(ends[place]!.node)!
  return pairs.map((_, place) => place).sort((a, b) => depth(a) - depth(b))
}

function bytesOf(gradient: Tensor): number {
  if (isConcrete(gradient.shape)) return sizeOf(gradient.shape) * dtypes[gradient.dtype].bytes
  throw new GradientError('the shape of a gradient must be known to be exchanged', { node: gradient.node })
}

function denseBucket(
  pairs: readonly GradientPair[],
  places: readonly number[],
  part: string,
  residuals: Residuals,
  { wire, compress }: GradientExchangeOptions,
): Bucket {
  const inputs = places.map((place) => pairs[place]![0] as Tensor)
  return {
    places,
    part,
    inputs,
    types: inputs.map(({ type }) => type),
    begin: (exchange, values, weight) =>
      exchange.allReduce(part, values, {
        weight,
        wire,
        compress: compress && { ...compress, residuals, name: part },
      }),
  }
}

function sparseBucket(
  { values, indices }: IndexedSlices,
  place: number,
  part: string,
  { wire }: GradientExchangeOptions,
): Bucket {
  const travels = values.dtype === 'float32' ? (wire ?? 'float32') : values.dtype
  return {
    places: [place],
    part,
    inputs: [values, indices],
    types: [
      { dtype: values.dtype, shape: ['?', ...values.shape.slice(1)] },
      { dtype: indices.dtype, shape: ['?'] },
    ],
    async begin(exchange, [rows, at], weight) {
      const own = [rows!.cast(travels), at!, ndarray([weight], 'float64', [])]
      return meanOfRows(await exchange.allGather(part, own), rows!, at!)
    },
  }
}

/** The rows of all members behind each other, each times its member's weight by that of all, and their indices. */
function meanOfRows(
  gathered: readonly (readonly NDArray[])[],
  { dtype, shape }: NDArray,
  { dtype: indexType }: NDArray,
): readonly NDArray[] {
  const sum = (count: (arrays: readonly NDArray[]) => number): number =>
    gathered.reduce((n, arrays) => n + count(arrays), 0)
  const total = meanOf(sum(([, , weight]) => weight!.number()))
  const count = sum(([, at]) => at!.size)
  const wide = dtype === 'float64' ? 'float64' : 'float32'
  const size = sizeOf(shape.slice(1))
  const rows = allocate(wide, count * size)
  const indices = allocate(indexType as 'int32', count)
  let from = 0
  for (const [values, at, weight] of gathered) {
    const share = weight!.number() / total
    const { data } = values!.cast(wide)
    for (let i = 0; i < data.length; i++) rows[from * size + i] = share === 0 ? 0 : data[i]! * share
    indices.set(at!.data as Int32Array, from)
    from += at!.size
  }
  return [
    new Values(wide, [count, ...shape.slice(1)], rows).cast(dtype),
    new Values(indexType, [count], indices),
  ]
}
