// Counting: elements that are not zero, occurrences of numbers, values in bins.
import type { DType } from '../../dtype.ts'
import { AttrError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { onesLike } from '../array/fill.ts'
import { reshape } from '../array/reshape.ts'
import { size } from '../array/shapeOf.ts'
import { cast } from '../math/cast.ts'
import { clip } from '../math/clip.ts'
import { div } from '../math/div.ts'
import { floor } from '../math/floor.ts'
import { mul } from '../math/mul.ts'
import { notEqual } from '../math/notEqual.ts'
import { sub } from '../math/sub.ts'
import { unsortedSegmentSum } from './segment.ts'
import { sum } from './sum.ts'

/** How many elements of x are not zero (or are true), over axes, all of them by default. Default dtype int32. */
export function countNonzero(
  x: TensorLike,
  {
    dtype = 'int32',
    ...over
  }: { readonly dtype?: DType; readonly axes?: readonly number[]; readonly keepDims?: boolean } = {},
): Tensor {
  const values = toTensor(x)
  return sum(cast(values.dtype === 'bool' ? values : notEqual(values, 0), { to: dtype }), over)
}

/** Which fraction of all elements of x is zero: a float32 scalar. */
export function zeroFraction(x: TensorLike): Tensor {
  const values = toTensor(x)
  return sub(1, div(countNonzero(values, { dtype: 'float32' }), size(values, { dtype: 'float32' })))
}

/**
 * How often each of 0, 1, …, count - 1 occurs among the elements of x (int32, int64), or the sum of their weights. Others are not counted.
 * @param options.count left out: the greatest element plus one, which is found on the host.
 * @param options.weights in the shape of x; default int32 ones
 */
export function bincount(
  x: TensorLike,
  { count, weights }: { readonly count?: number; readonly weights?: TensorLike } = {},
): Tensor {
  const values = reshape(toTensor(x, 'int32'), { shape: [-1] })
  const parts =
    weights === undefined ? cast(onesLike(values), { to: 'int32' }) : reshape(weights, { shape: [-1] })
  return unsortedSegmentSum(parts, values, count === undefined ? {} : { count })
}

/**
 * How many elements of x lie in each of `bins` bins of equal width between `low` and `high`; what lies beyond counts in the first or last bin.
 * @throws AttrError for no bins or an empty interval.
 */
export function histogram(
  x: TensorLike,
  { low, high, bins = 100 }: { readonly low: number; readonly high: number; readonly bins?: number },
): Tensor {
  if (!(bins >= 1) || !(low < high))
    throw new AttrError(`histogram: ${bins} bins from ${low} to ${high} hold nothing`)
  const scaled = floor(mul(sub(x, low), bins / (high - low)))
  return bincount(cast(clip(scaled, { min: 0, max: bins - 1 }), { to: 'int32' }), { count: bins })
}
