// Random legal kernels: loops, broadcast, transposed, strided, reversed and padded reads, reductions that need each other, several outputs, over random dtypes.
import type {
  Combine,
  DType,
  Expr,
  FusedKernel,
  KernelInput,
  KernelReduction,
  KernelStore,
  Size,
  TypedArray,
} from '@shoal/core'
import { allocate, dtypes, E, flatIndex, setElement, sizeOf } from '@shoal/core'
import type { Random } from '../random.ts'
import type { Bounded } from './bounded.ts'
import { clipped, grow } from './bounded.ts'

/** How far floats may be from the interpreter's, in epsilons of the compute dtype, and how large they are at most. */
export type ErrorBound = Pick<Bounded, 'error' | 'magnitude'>

/** A kernel, what it reads, and a bound for each output. */
export interface RandomKernel {
  readonly kernel: FusedKernel
  readonly inputs: readonly TypedArray[]
  readonly bounds: readonly ErrorBound[]
}

const int = (value: number): Expr => E.num(value, 'int32')

/** How one axis of the loop nest moves through an input: the position along it, the input's size there, and where nothing is read. */
interface Walk {
  readonly position: Expr
  readonly size: number
  readonly valid?: Expr
}

const walks: readonly ((stream: Random, axis: Expr, size: number) => Walk)[] = [
  (_, position, size) => ({ position, size }),
  () => ({ position: int(0), size: 1 }),
  (_, axis, size) => ({ position: E.sub(int(Math.max(0, size - 1)), axis), size }),
  (stream, axis, size) => {
    const stride = stream.integer(1, 4)
    const offset = stream.integer(0, 3)
    const extent = Math.max(0, size - 1) * stride + offset + 1 + stream.integer(0, 2)
    return { position: E.add(E.mul(axis, int(stride)), int(offset)), size: extent }
  },
  (stream, axis, size) => {
    const before = stream.integer(1, 3)
    const extent = Math.max(1, size - before - stream.integer(0, 2))
    const shifted = E.sub(axis, int(before))
    const position = E.min(E.max(shifted, int(0)), int(extent - 1))
    return { position, size: extent, valid: E.eq(position, shifted) }
  },
]

/** A kernel drawn from the stream, computing in and storing only `allowed` dtypes, with at most `maxBuffers` inputs and outputs. */
export function randomKernel(stream: Random, allowed: readonly DType[], maxBuffers: number): RandomKernel {
  const floats = allowed.filter((d) => dtypes[d].kind === 'float')
  // Floats have the most operations: they get the most kernels.
  const { compute } = dtypes[stream.pick(stream.next() < 0.6 ? floats : allowed)]
  const stored = allowed.filter((d) => dtypes[d].compute === compute)
  const axes = randomAxes(stream)
  const reduced = stream.next() < 0.5 ? stream.integer(1, axes.length + 1) : 0
  const outputs = stream.integer(1, Math.min(4, maxBuffers - 1))
  const reads = new Reads(stream, axes, stored, maxBuffers - outputs)
  // Reads come last: growing prefers the latest values.
  const plain = compute === 'bool' ? [] : [constant(stream, compute), counter(stream, axes, compute)]
  const loads = Array.from({ length: stream.integer(1, 4) }, () => reads.leaf(axes.length))
  const loops = { axes, reduced, leaves: [...plain, ...loads] }
  const { reductions, finished } = reduced > 0 ? randomReductions(stream, loops) : nothingReduced
  const stores = Array.from({ length: outputs }, () => randomStore(stream, reads, loops, finished, stored))
  return {
    kernel: {
      name: 'random',
      inputs: reads.inputs,
      axes,
      reduced,
      reductions,
      stores: stores.map(({ store }) => store),
    },
    inputs: reads.data,
    bounds: stores.map(({ bound }) => bound),
  }
}

/** Where values are drawn: the loops, and what can be read in all of them. */
interface Loops {
  readonly axes: Size
  readonly reduced: number
  readonly leaves: readonly Bounded[]
}

interface RandomReductions {
  readonly reductions: readonly KernelReduction[]
  /** Their values, when they are finished. */
  readonly finished: readonly Bounded[]
}
const nothingReduced: RandomReductions = { reductions: [], finished: [] }

/** Up to three reductions, later ones perhaps of what earlier ones found. */
function randomReductions(stream: Random, { axes, reduced, leaves }: Loops): RandomReductions {
  const count = sizeOf(axes.slice(axes.length - reduced))
  const reductions: KernelReduction[] = []
  const finished: Bounded[] = []
  const many = stream.integer(1, 4)
  for (let i = 0; i < many; i++) {
    const known = stream.next() < 0.5 ? finished.map(tamed) : []
    const value = grow(stream, [...known, ...leaves], stream.integer(1, 8))
    const { dtype } = value.expr
    const combine = stream.pick<Combine>(dtype === 'bool' ? ['max', 'min'] : ['sum', 'prod', 'max', 'min'])
    // Factors of at most 1 keep products of many from running away.
    const term = combine === 'prod' && dtypes[dtype].kind === 'float' ? clipped(value, 1) : value
    reductions.push({ combine, dtype, term: term.expr })
    finished.push({ expr: E.acc(i, dtype), ...combinedBound(term, combine, count) })
  }
  return { reductions, finished }
}

/** A value that stays small enough to be computed with. */
const tamed = (value: Bounded): Bounded =>
  dtypes[value.expr.dtype].kind === 'float' ? clipped(value, 16) : value

function randomStore(
  stream: Random,
  reads: Reads,
  { axes, reduced, leaves }: Loops,
  finished: readonly Bounded[],
  stored: readonly DType[],
): { readonly store: KernelStore; readonly bound: ErrorBound } {
  const kept = axes.length - reduced
  const empty = axes.slice(kept).includes(0)
  const once = reduced > 0 && (empty || axes.slice(kept).every((d) => d === 1) || stream.next() < 0.5)
  const loops = once ? axes.slice(0, kept) : axes
  // An empty maximum is −∞, which no bound describes: it is stored as it is.
  const bare = once && (empty || stream.next() < 0.3)
  const value = bare
    ? stream.pick(finished)
    : grow(
        stream,
        [...finished.map(tamed), ...(once ? [reads.leaf(kept)] : leaves)],
        stream.integer(1, once ? 6 : 12),
      )
  const order = Array.from(loops, (_, axis) => axis)
  const moved = stream.next() < 0.2 ? stream.shuffled(order) : order
  const index = flatIndex(
    moved.map((axis) => E.axis(axis)),
    moved.map((axis) => loops[axis]!),
  )
  const dtype = stream.pick(stored)
  return { store: { dtype, length: sizeOf(loops), index, value: value.expr }, bound: value }
}

function combinedBound(
  { magnitude, error }: Bounded,
  combine: Combine,
  count: number,
): { magnitude: number; error: number } {
  if (combine === 'sum') return { magnitude: magnitude * count, error: count * (error + magnitude * count) }
  return combine === 'prod' ? { magnitude: 1, error: count * (error + 1) } : { magnitude, error }
}

function randomAxes(stream: Random): Size {
  const rank = stream.integer(1, 5)
  const long = stream.integer(0, rank)
  return Array.from({ length: rank }, (_, axis) =>
    stream.next() < 0.02 ? 0 : axis === long ? stream.integer(1, 40 / rank) : stream.integer(1, 5),
  )
}

const constant = (stream: Random, dtype: DType): Bounded => {
  const { kind } = dtypes[dtype]
  const any = stream.integer(0, 9)
  const value = kind === 'float' ? any / 4 : kind === 'bool' ? Number(any > 0) : any
  return { expr: E.num(dtype === 'int64' ? BigInt(value) : value, dtype), magnitude: value, error: 0 }
}

const counter = (stream: Random, axes: Size, dtype: DType): Bounded => {
  const axis = stream.integer(0, axes.length)
  return { expr: E.cast(E.axis(axis), dtype), magnitude: axes[axis]!, error: 0 }
}

/** The inputs of a kernel as they come to be read. */
class Reads {
  private readonly stream: Random
  private readonly axes: Size
  private readonly stored: readonly DType[]
  private readonly most: number
  readonly inputs: KernelInput[] = []
  readonly data: TypedArray[] = []

  constructor(stream: Random, axes: Size, stored: readonly DType[], most: number) {
    this.stream = stream
    this.axes = axes
    this.stored = stored
    this.most = most
  }

  /** A new input, read along the first `count` axes in random order; a constant where no more inputs may be. */
  leaf(count: number): Bounded {
    const { stream } = this
    if (this.inputs.length >= this.most) return constant(stream, dtypes[this.stored[0]!].compute)
    const natural = Array.from({ length: count }, (_, i) => i)
    // Some are read where outputs are stored, so that they may be the same memory.
    const plain = stream.next() < 0.3
    const order = plain ? natural : stream.shuffled(natural)
    const moves = order.map((axis) =>
      (plain ? walks[0]! : stream.pick(walks))(stream, E.axis(axis), this.axes[axis]!),
    )
    const dtype = stream.pick(this.stored)
    const length = moves.reduce((n, { size }) => n * size, 1)
    this.inputs.push({ dtype, length })
    this.data.push(randomData(stream, dtype, length))
    const index = moves.reduce<Expr>(
      (flat, { position, size }) => E.add(E.mul(flat, int(size)), position),
      int(0),
    )
    const load = E.load(this.inputs.length - 1, index, dtype)
    const valid = moves.flatMap((w) => (w.valid ? [w.valid] : []))
    const zero = E.num(load.dtype === 'int64' ? 0n : 0, load.dtype)
    const expr =
      valid.length === 0
        ? load
        : E.select(
            valid.reduce((a, b) => E.and(a, b)),
            load,
            zero,
          )
    return { expr, magnitude: 4, error: 0 }
  }
}

/** Multiples of 1/8 in [−4, 4], which every float dtype holds; small integers and, now and then, the extremes of their dtype. */
function randomData(stream: Random, dtype: DType, length: number): TypedArray {
  const out = allocate(dtype, length) as TypedArray
  const { kind, bytes } = dtypes[dtype]
  const draw = (): number | bigint => {
    if (kind === 'float') return stream.integer(-32, 33) / 8
    if (kind === 'bool') return stream.integer(0, 2)
    if (stream.next() < 0.05) return stream.pick(extremes(kind === 'int', bytes * 8))
    return stream.integer(kind === 'int' ? -9 : 0, 10)
  }
  for (let i = 0; i < length; i++) setElement(dtype, out, i, draw())
  return out
}

const extremes = (signed: boolean, bits: number): readonly bigint[] =>
  signed ? [-(2n ** BigInt(bits - 1)), 2n ** BigInt(bits - 1) - 1n] : [0n, 2n ** BigInt(bits) - 1n]
