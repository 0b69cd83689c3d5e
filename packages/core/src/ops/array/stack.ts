// Joining along a new axis, and taking that apart again.
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { normalizeAxis } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { concat } from './concat.ts'
import { expandDims, squeeze } from './expandDims.ts'
import { split } from './split.ts'

/** Joins tensors of one type along a new axis (default the first; -1: the last). */
export function stack(xs: readonly TensorLike[], { axis = 0 }: { readonly axis?: number } = {}): Tensor {
  const tensors = xs.map((x) => toTensor(x))
  if (tensors.length === 0) throw new ShapeError('stack: needs at least one tensor')
  const at = normalizeAxis(axis, tensors[0]!.rank + 1)
  return concat(
    tensors.map((x) => expandDims(x, { axis: at })),
    { axis: at },
  )
}

/**
 * The slices of x along an axis (default the first), without that axis.
 * @param options.count how many there are, where the size of the axis is not known.
 */
export function unstack(
  x: TensorLike,
  { axis = 0, count }: { readonly axis?: number; readonly count?: number } = {},
): Tensor[] {
  const whole = toTensor(x)
  const at = normalizeAxis(axis, whole.rank)
  const size = count ?? whole.shape[at]!
  if (typeof size === 'string')
    throw new ShapeError(`unstack: size '${size}' of axis ${at} is not known: give count`)
  return split(whole, new Array<number>(size).fill(1), { axis: at }).map((piece) =>
    squeeze(piece, { axes: [at] }),
  )
}
