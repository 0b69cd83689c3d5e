// Normalisation of each channel over the batch.
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { moments } from '../reduce/moments.ts'
import type { Learnt } from './normalize.ts'
import { affine, standardize } from './normalize.ts'

/** What normalising a batch answers: the result, and the statistics that moving averages are made of, [channels]. */
export interface BatchNormResult {
  readonly y: Tensor
  readonly mean: Tensor
  /** Of the population: divided by n. */
  readonly variance: Tensor
}

/**
 * In training: x [batch, ..., channels] with each channel brought to mean 0 and variance 1 over the batch, times `scale`, plus `offset`,
 * both [channels]. Ioffe and Szegedy, 2015.
 * @param options.epsilon added to the variance; default 1e-3.
 */
export const batchNorm = (
  x: TensorLike,
  scale?: Learnt,
  offset?: Learnt,
  { epsilon = 1e-3 }: { readonly epsilon?: number } = {},
): BatchNormResult =>
  scope('batchNorm', () => {
    const t = toTensor(x)
    const { mean, variance } = moments(t, { axes: Array.from({ length: t.rank - 1 }, (_, i) => i) })
    return { y: affine(standardize(t, mean, variance, epsilon), scale, offset), mean, variance }
  })

/**
 * In inference: x [batch, ..., channels] normalised by a mean and variance [channels] that were learnt.
 * @param options.epsilon added to the variance; default 1e-3.
 */
export const batchNormInference = (
  x: TensorLike,
  mean: TensorLike,
  variance: TensorLike,
  scale?: Learnt,
  offset?: Learnt,
  { epsilon = 1e-3 }: { readonly epsilon?: number } = {},
): Tensor =>
  scope('batchNorm', () => {
    const t = toTensor(x)
    return affine(
      standardize(t, toTensor(mean, t.dtype), toTensor(variance, t.dtype), epsilon),
      scale,
      offset,
    )
  })
