// Scaling to mean 0 and variance 1: what the normalisation layers share.
import type { Tensor } from '../../graph/graph.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { add } from '../math/add.ts'
import { mul } from '../math/mul.ts'
import { rsqrt } from '../math/rsqrt.ts'
import { sub } from '../math/sub.ts'
import { moments } from '../reduce/moments.ts'

/** A learnt factor or offset that may be left out. */
export type Learnt = TensorLike | undefined

/** (x - mean) / √(variance + epsilon). */
export const standardize = (x: Tensor, mean: Tensor, variance: Tensor, epsilon: number): Tensor =>
  mul(sub(x, mean), rsqrt(add(variance, epsilon)))

/** x brought to mean 0 and variance 1 over axes. */
export function standardizeOver(x: Tensor, axes: readonly number[], epsilon: number): Tensor {
  const { mean, variance } = moments(x, { axes, keepDims: true })
  return standardize(x, mean, variance, epsilon)
}

/** x · scale + offset, either of which may be left out; plain numbers take the dtype of x. */
export function affine(x: Tensor, scale: Learnt, offset: Learnt): Tensor {
  const scaled = scale === undefined ? x : mul(x, toTensor(scale, x.dtype))
  return offset === undefined ? scaled : add(scaled, toTensor(offset, x.dtype))
}
