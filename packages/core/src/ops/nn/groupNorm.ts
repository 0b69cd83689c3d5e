// Normalisation of each example over space, for groups of channels or for each channel.
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import { formatShape } from '../../shape.ts'
import { reshape, reshapeLike } from '../array/reshape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import type { Learnt } from './normalize.ts'
import { affine, standardizeOver } from './normalize.ts'

/**
 * x [batch, ...spatial, channels] with each group of channels of each example brought to mean 0 and variance 1, times `scale`, plus `offset`,
 * both [channels]. Wu and He, 2018.
 * @param options.groups how many groups of neighbouring channels.
 * @param options.epsilon added to the variance; default 1e-5.
 * @throws ShapeError when the channels are not known or cannot be split.
 */
export const groupNorm = (
  x: TensorLike,
  scale: Learnt,
  offset: Learnt,
  { groups, epsilon = 1e-5 }: { readonly groups: number; readonly epsilon?: number },
): Tensor =>
  scope('groupNorm', () => {
    const t = toTensor(x)
    const channels = t.shape.at(-1)
    if (t.rank < 2 || typeof channels !== 'number' || channels % groups !== 0)
      throw new ShapeError(
        `groupNorm: x ${formatShape(t.shape)} must be [batch, ...spatial, channels] with known channels, a multiple of ${groups} groups`,
      )
    const grouped = reshape(t, { shape: [...t.shape.slice(0, -1), groups, channels / groups] })
    const spatial = Array.from({ length: t.rank - 2 }, (_, i) => i + 1)
    return affine(reshapeLike(standardizeOver(grouped, [...spatial, t.rank], epsilon), t), scale, offset)
  })

/**
 * x [batch, ...spatial, channels] with each channel of each example brought to mean 0 and variance 1, times `scale`, plus `offset`,
 * both [channels]. Ulyanov et al., 2016.
 * @param options.epsilon added to the variance; default 1e-5.
 */
export const instanceNorm = (
  x: TensorLike,
  scale?: Learnt,
  offset?: Learnt,
  { epsilon = 1e-5 }: { readonly epsilon?: number } = {},
): Tensor =>
  scope('instanceNorm', () => {
    const t = toTensor(x)
    const spatial = Array.from({ length: t.rank - 2 }, (_, i) => i + 1)
    return affine(standardizeOver(t, spatial, epsilon), scale, offset)
  })
