// The poolings that models are written with.
import type { Tensor } from '../../graph/graph.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { max } from '../reduce/max.ts'
import { mean } from '../reduce/mean.ts'
import { avgPoolOp, maxPoolOp } from './pool.ts'
import type { WindowOptions } from './window.ts'
import { perAxis, windowArgs } from './window.ts'

const over =
  (op: typeof maxPoolOp) =>
  (
    x: TensorLike,
    size: number | readonly number[],
    { strides = size, ...options }: WindowOptions = {},
  ): Tensor => {
    const t = toTensor(x)
    const rank = t.rank - 2
    return op(t, { size: perAxis(size, rank), ...windowArgs({ strides, ...options }, rank) })
  }

/** The greatest element of every window of `size` over x [batch, ...spatial, channels]. Strides default to the size: windows side by side. */
export const maxPool = over(maxPoolOp)
/** The mean of every window of `size` over x [batch, ...spatial, channels], padding not counted. Strides default to the size. */
export const avgPool = over(avgPoolOp)

const spatialAxes = (x: Tensor): number[] => Array.from({ length: x.rank - 2 }, (_, i) => i + 1)

/** The greatest element over all spatial axes: [batch, ...spatial, channels] → [batch, channels], or with spatial sizes of 1 when `keepDims`. */
export function globalMaxPool(
  x: TensorLike,
  { keepDims = false }: { readonly keepDims?: boolean } = {},
): Tensor {
  const t = toTensor(x)
  return max(t, { axes: spatialAxes(t), keepDims })
}
/** The mean over all spatial axes: [batch, ...spatial, channels] → [batch, channels], or with spatial sizes of 1 when `keepDims`. */
export function globalAveragePool(
  x: TensorLike,
  { keepDims = false }: { readonly keepDims?: boolean } = {},
): Tensor {
  const t = toTensor(x)
  return mean(t, { axes: spatialAxes(t), keepDims })
}
