// What a case is fed: each input says its shape and how its values are drawn from the case's own stream of random numbers.
import type { DType, Nested, Size } from '@shoal/core'
import { NDArray, ndarray, sizeOf } from '@shoal/core'
import type { Random } from './random.ts'

/** One input of a case. */
export interface InputSpec {
  readonly shape: Size
  /** Its dtype whatever the case runs in; left out: the dtype that the case runs in. */
  readonly dtype?: DType
  /** Row-major values, of the JavaScript type of the dtype. */
  generate(random: Random): Nested | NDArray
}

const many = (shape: Size, draw: () => number): number[] => Array.from({ length: sizeOf(shape) }, draw)
const fixed = (dtype: DType | undefined): { dtype?: DType } => (dtype ? { dtype } : {})

/** Uniform numbers in [low, high), by default [-2, 2), in the case's dtype. */
export const random = (
  shape: Size,
  range: { low?: number; high?: number; dtype?: DType } = {},
): InputSpec => ({
  shape,
  ...fixed(range.dtype),
  generate: (stream) => many(shape, () => stream.between(range.low ?? -2, range.high ?? 2)),
})

/** Whole numbers in [low, high), int32 unless said otherwise. */
export const ints = (shape: Size, range: { low?: number; high: number; dtype?: DType }): InputSpec => ({
  shape,
  dtype: range.dtype ?? 'int32',
  generate: (stream) => many(shape, () => stream.integer(range.low ?? 0, range.high)),
})

/** Fair coins, dtype bool. */
export const bools = (shape: Size): InputSpec => ({
  shape,
  dtype: 'bool',
  generate: (stream) => Array.from({ length: sizeOf(shape) }, () => stream.next() < 0.5),
})

/** Numbers that all differ by at least `step`, in random order and centred at 0: no ties for sort, max and pooling, whose gradients jump there. */
export const distinct = (shape: Size, options: { step?: number; dtype?: DType } = {}): InputSpec => ({
  shape,
  ...fixed(options.dtype),
  generate(stream) {
    const size = sizeOf(shape)
    const step = options.step ?? 0.125
    return stream.shuffled(Array.from({ length: size }, (_, i) => (i - size / 2) * step))
  },
})

/** Symmetric positive definite matrices over the last two axes: A·Aᵀ/n + I/2, whose condition number is small. */
export const positiveDefinite = (shape: Size): InputSpec => ({
  shape,
  generate: (stream) => matrices(shape, stream, (a, n, i, j) => dot(a, n, i, j) / n + (i === j ? 0.5 : 0)),
})

/** Matrices over the last two axes that are far from singular: random in [-1, 1) plus n on the diagonal. */
export const wellConditioned = (shape: Size): InputSpec => ({
  shape,
  generate: (stream) => matrices(shape, stream, (a, n, i, j) => a[i * n + j]! + (i === j ? n : 0)),
})

/** The values as written. Numbers take the case's dtype unless one is given; booleans, strings and bigints keep theirs. */
export function values(nested: Nested, dtype?: DType): InputSpec {
  const array = ndarray(nested)
  const own = dtype ?? (array.dtype === 'float32' ? undefined : array.dtype)
  return { shape: array.shape, ...fixed(own), generate: () => nested }
}

/** Values computed from the stream by a function of one's own, row-major. */
export const drawn = (
  shape: Size,
  generate: (random: Random) => readonly (number | bigint | boolean | string)[],
  dtype?: DType,
): InputSpec => ({ shape, ...fixed(dtype), generate })

function matrices(
  shape: Size,
  stream: Random,
  element: (a: readonly number[], n: number, i: number, j: number) => number,
): number[] {
  const n = shape.at(-1)!
  return Array.from({ length: sizeOf(shape.slice(0, -2)) }).flatMap(() => {
    const a = many([n, n], () => stream.between(-1, 1))
    return a.map((_, k) => element(a, n, Math.floor(k / n), k % n))
  })
}

const dot = (a: readonly number[], n: number, i: number, j: number): number =>
  Array.from({ length: n }, (_, k) => a[i * n + k]! * a[j * n + k]!).reduce((sum, x) => sum + x, 0)

/** The values of an input in the dtype that the case runs in. */
export function generate(spec: InputSpec, stream: Random, dtype: DType): NDArray {
  const drawnValues = spec.generate(stream)
  const type = spec.dtype ?? dtype
  if (drawnValues instanceof NDArray) return drawnValues.cast(type)
  // Numbers are drawn as such, and cast to what the case runs in.
  return ndarray(drawnValues, areNumbers(drawnValues) ? 'float64' : type, spec.shape).cast(type)
}

function areNumbers(values: Nested): boolean {
  let first: Nested | undefined = values
  while (Array.isArray(first)) first = first[0] as Nested | undefined
  return typeof first === 'number'
}
