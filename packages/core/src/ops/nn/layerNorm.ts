// Normalisation of each example by itself.
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { add } from '../math/add.ts'
import { mul } from '../math/mul.ts'
import { rsqrt } from '../math/rsqrt.ts'
import { square } from '../math/square.ts'
import { mean } from '../reduce/mean.ts'
import type { Learnt } from './normalize.ts'
import { affine, standardizeOver } from './normalize.ts'

interface Over {
  /** The axes that are normalised together. Default: the last. */
  readonly axes?: readonly number[]
  /** Added to the variance. */
  readonly epsilon?: number
}

/**
 * (x - mean) / √(variance + epsilon) · scale + offset, with mean and variance over `axes`. Ba et al., 2016.
 * @param scale broadcasts with x; left out: 1.
 * @param offset broadcasts with x; left out: 0.
 * @param options.epsilon default 1e-5.
 */
export const layerNorm = (
  x: TensorLike,
  scale?: Learnt,
  offset?: Learnt,
  { axes = [-1], epsilon = 1e-5 }: Over = {},
): Tensor => scope('layerNorm', () => affine(standardizeOver(toTensor(x), axes, epsilon), scale, offset))

/**
 * x / √(mean of x² + epsilon) · scale, the mean over `axes`. Zhang and Sennrich, 2019.
 * @param options.epsilon default 1e-6.
 */
export const rmsNorm = (x: TensorLike, scale?: Learnt, { axes = [-1], epsilon = 1e-6 }: Over = {}): Tensor =>
  scope('rmsNorm', () => {
    const t = toTensor(x)
    return affine(mul(t, rsqrt(add(mean(square(t), { axes, keepDims: true }), epsilon))), scale, undefined)
  })
