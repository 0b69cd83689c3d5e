// The convolutions that models are written with; each says something about the one general convolution.
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { formatShape } from '../../shape.ts'
import { reshape } from '../array/reshape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { conv } from './conv.ts'
import { convTranspose } from './convTranspose.ts'
import type { WindowOptions } from './window.ts'
import { windowArgs } from './window.ts'

/** Options of a convolution. */
export interface ConvOptions extends WindowOptions {
  /** Channels are split into so many groups that do not see each other. Default 1. */
  readonly groups?: number
}
/** Options of a transposed convolution. */
export interface ConvTransposeOptions extends ConvOptions {
  /** Spatial sizes of the output. Default: input · stride for SAME, (input - 1) · stride + window otherwise. */
  readonly outputSizes?: readonly number[]
}

const over =
  (rank: number) =>
  (x: TensorLike, filter: TensorLike, { groups = 1, ...window }: ConvOptions = {}): Tensor =>
    conv(ranked(x, rank + 2), filter, { ...windowArgs(window, rank), groups })
const transposedOver =
  (rank: number) =>
  (
    x: TensorLike,
    filter: TensorLike,
    { groups = 1, outputSizes, ...window }: ConvTransposeOptions = {},
  ): Tensor =>
    convTranspose(ranked(x, rank + 2), filter, { ...windowArgs(window, rank), groups, outputSizes })

/** Convolution of x [batch, width, in] with filter [width, in / groups, out]. */
export const conv1d = over(1)
/** Convolution of x [batch, height, width, in] with filter [height, width, in / groups, out]. */
export const conv2d = over(2)
/** Convolution of x [batch, depth, height, width, in] with filter [depth, height, width, in / groups, out]. */
export const conv3d = over(3)

/** Transposed convolution of x [batch, width, in] with filter [width, out / groups, in]. */
export const conv1dTranspose = transposedOver(1)
/** Transposed convolution of x [batch, height, width, in] with filter [height, width, out / groups, in]. */
export const conv2dTranspose = transposedOver(2)
/** Transposed convolution of x [batch, depth, height, width, in] with filter [depth, height, width, out / groups, in]. */
export const conv3dTranspose = transposedOver(3)

/**
 * Convolves each channel by itself: x [batch, height, width, channels] with filter [height, width, channels, multiplier]
 * → [batch, height, width, channels · multiplier], the results of one channel side by side.
 * @throws ShapeError when the number of channels is not known.
 */
export function depthwiseConv2d(x: TensorLike, filter: TensorLike, options: WindowOptions = {}): Tensor {
  const w = ranked(filter, 4)
  const [height, width, channels, multiplier] = w.shape as [number, number, number, number]
  if (typeof channels !== 'number' || typeof multiplier !== 'number')
    throw new ShapeError(`depthwiseConv2d: the channels of the filter ${formatShape(w.shape)} must be known`)
  return conv2d(x, reshape(w, { shape: [height, width, 1, channels * multiplier] }), {
    ...options,
    groups: channels,
  })
}

/**
 * A depthwise convolution followed by a 1 × 1 one: `depthwise` [height, width, in, multiplier], `pointwise` [1, 1, in · multiplier, out].
 * The options are those of the depthwise part.
 */
export const separableConv2d = (
  x: TensorLike,
  depthwise: TensorLike,
  pointwise: TensorLike,
  options: WindowOptions = {},
): Tensor => conv2d(depthwiseConv2d(x, depthwise, options), pointwise)

function ranked(x: TensorLike, rank: number): Tensor {
  const t = toTensor(x)
  if (t.rank !== rank)
    throw new ShapeError(`${t.name} has shape ${formatShape(t.shape)}; rank ${rank} is needed`)
  return t
}
