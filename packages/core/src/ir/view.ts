// Index arithmetic of views: how the loop counters of an output become a flat position in an input.
import type { Size } from '../shape.ts'
import { stridesOf } from '../shape.ts'
import type { Expr } from './expr.ts'
import { E } from './expr.ts'

/** An int32 constant. */
export const int = (value: number): Expr => E.num(value, 'int32')
/** x · factor, leaving out what does nothing. */
export const times = (x: Expr, factor: number): Expr =>
  factor === 1 ? x : factor === 0 ? int(0) : E.mul(x, int(factor))

/** The position of an index in a row-major array. */
export function flatIndex(index: readonly Expr[], shape: Size): Expr {
  const strides = stridesOf(shape)
  const terms = index.flatMap((x, axis) => (shape[axis] === 1 ? [] : [times(x, strides[axis]!)]))
  return terms.length === 0 ? int(0) : terms.reduce((sum, term) => E.add(sum, term))
}

/** The index of a position in a row-major array. */
export function unflatten(flat: Expr, shape: Size): Expr[] {
  const strides = stridesOf(shape)
  return shape.map((size, axis) => {
    if (size <= 1) return int(0)
    const quotient = strides[axis] === 1 ? flat : E.div(flat, int(strides[axis]!))
    return axis === 0 || strides.slice(0, axis).every((_, i) => shape[i] === 1)
      ? quotient
      : E.rem(quotient, int(size))
  })
}

/** The index into an input that is broadcast to the output: axes align at the end, axes of size 1 stay at 0. */
export const broadcastIndex = (at: readonly Expr[], shape: Size): Expr[] =>
  shape.map((size, axis) => (size === 1 ? int(0) : at[axis - shape.length + at.length]!))
