// Mean, variance and standard deviation.
import type { Tensor } from '../../graph/graph.ts'
import { reshapeLike } from '../array/reshape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { sqrt } from '../math/sqrt.ts'
import { squaredDifference } from '../math/squaredDifference.ts'
import { mean } from './mean.ts'

interface Over {
  /** Default: all axes. */
  readonly axes?: readonly number[]
  /** Keep the reduced axes with size 1? Default false. */
  readonly keepDims?: boolean
}

/** Mean and variance (of the population: divided by n) over axes, all of them by default. */
export function moments(
  x: TensorLike,
  over: Over = {},
): { readonly mean: Tensor; readonly variance: Tensor } {
  const values = toTensor(x)
  const center = mean(values, { ...over, keepDims: true })
  const variance = mean(squaredDifference(values, center), over)
  return { mean: over.keepDims ? center : reshapeLike(center, variance), variance }
}

/** The mean square distance from the mean (of the population: divided by n) over axes, all of them by default. */
export const variance = (x: TensorLike, over: Over = {}): Tensor => moments(x, over).variance

/** The square root of the variance over axes, all of them by default. */
export const standardDeviation = (x: TensorLike, over: Over = {}): Tensor => sqrt(variance(x, over))
