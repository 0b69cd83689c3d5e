// Shapes before and after they are known: a Dim is a size, or a name that a run binds to one.
import type { DType } from './dtype.ts'
import { ShapeError } from './errors.ts'

/** A known size, the name of a size that each run binds (`'batch'`), or `'?'`: unknown, and equal to nothing. */
export type Dim = number | string
/** The sizes of a tensor; its length, the rank, is always known. */
export type Shape = readonly Dim[]
/** A shape with every size known. */
export type Size = readonly number[]

/** What is known of a tensor before it runs. */
export interface TensorType {
  readonly dtype: DType
  readonly shape: Shape
}
/** What is known of a tensor when it runs: sizes are numbers. */
export interface ConcreteType {
  readonly dtype: DType
  readonly shape: Size
}

/** The unknown size. */
export const unknown = '?'

/** `[32, batch, ?]` */
export const formatShape = (shape: Shape): string => `[${shape.join(', ')}]`
/** `float32[32, batch]` */
export const formatType = (type: TensorType): string => `${type.dtype}${formatShape(type.shape)}`

/** Are all sizes known? */
export const isConcrete = (shape: Shape): shape is Size => shape.every((d) => typeof d === 'number')

/** The number of elements of a concrete shape. */
export const sizeOf = (shape: Size): number => shape.reduce((product, d) => product * d, 1)

/** Row-major strides in elements: the distance between neighbours along each axis. */
export function stridesOf(shape: Size): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]!
  }
  return strides
}

/** Could these two sizes be the same at run time? Names and unknowns may be anything. */
export const compatible = (a: Dim, b: Dim): boolean =>
  a === b || typeof a === 'string' || typeof b === 'string'

/** The better known of two sizes that must be equal. @throws ShapeError when they cannot be. */
export function mergeDim(a: Dim, b: Dim, what = 'sizes differ'): Dim {
  if (a === b) return a
  if (typeof a === 'number' && typeof b === 'number') throw new ShapeError(`${what}: ${a} and ${b}`)
  if (typeof a === 'number') return a
  if (typeof b === 'number') return b
  return a === unknown ? b : a
}

/** Merges two shapes that must be equal, size by size. @throws ShapeError when they cannot be. */
export function mergeShapes(a: Shape, b: Shape, what = 'shapes differ'): Shape {
  if (a.length !== b.length)
    throw new ShapeError(`${what}: ${formatShape(a)} and ${formatShape(b)} have different ranks`)
  return a.map((d, i) => {
    if (!compatible(d, b[i]!)) throw new ShapeError(`${what}: ${formatShape(a)} and ${formatShape(b)}`)
    return mergeDim(d, b[i]!)
  })
}

/** NumPy broadcasting, on sizes that may be names. A name or unknown beside 1 stays; beside a size > 1 it must be that size. */
export function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length)
  return Array.from({ length: rank }, (_, axis) => {
    const x = a[axis - rank + a.length] ?? 1
    const y = b[axis - rank + b.length] ?? 1
    if (x === y || y === 1) return x
    if (x === 1) return y
    // A name could still be bound to 1, so a known size beside it decides the result either way.
    if (typeof x === 'number' && typeof y === 'number')
      throw new ShapeError(
        `cannot broadcast ${formatShape(a)} with ${formatShape(b)}: sizes ${x} and ${y} differ`,
      )
    if (typeof x === 'number') return x
    if (typeof y === 'number') return y
    return unknown
  })
}

/** Counts a negative axis from the end. @throws ShapeError when it is out of range. */
export function normalizeAxis(axis: number, rank: number): number {
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank)
    throw new ShapeError(`axis ${axis} is out of range for rank ${rank}: use ${-rank} to ${rank - 1}`)
  return axis < 0 ? axis + rank : axis
}

/** Sorted, distinct, non-negative axes; all of them when none are given. @throws ShapeError for doubles or out of range. */
export function normalizeAxes(axes: readonly number[] | undefined, rank: number): number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, i) => i)
  const normal = axes.map((axis) => normalizeAxis(axis, rank)).sort((a, b) => a - b)
  normal.forEach((axis, i) => {
    if (axis === normal[i - 1]) throw new ShapeError(`axis ${axis} is named twice in [${axes.join(', ')}]`)
  })
  return normal
}

/** The shape that reducing `axes` leaves. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  return keepDims
    ? shape.map((d, i) => (axes.includes(i) ? 1 : d))
    : shape.filter((_, i) => !axes.includes(i))
}

/** What names are bound to in one run. */
export type Binding = Map<string, number>

/** Binds the names of `declared` to the sizes of `actual`. @throws ShapeError when they do not fit, or a name has two sizes. */
export function bindShape(declared: Shape, actual: Size, binding: Binding): void {
  const misfit = (why: string) =>
    new ShapeError(`expected ${formatShape(declared)}, got ${formatShape(actual)}: ${why}`)
  if (declared.length !== actual.length) throw misfit(`rank ${actual.length} is not ${declared.length}`)
  declared.forEach((dim, axis) => {
    const size = actual[axis]!
    if (typeof dim === 'number') {
      if (dim !== size) throw misfit(`size ${size} at axis ${axis} is not ${dim}`)
    } else if (dim !== unknown) {
      const bound = binding.get(dim)
      if (bound !== undefined && bound !== size) throw misfit(`'${dim}' is ${bound} elsewhere in this run`)
      binding.set(dim, size)
    }
  })
}
