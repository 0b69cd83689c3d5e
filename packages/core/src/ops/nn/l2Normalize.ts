// Scaling to length 1.
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { maximum } from '../math/maximum.ts'
import { mul } from '../math/mul.ts'
import { rsqrt } from '../math/rsqrt.ts'
import { square } from '../math/square.ts'
import { sum } from '../reduce/sum.ts'

/**
 * x / √max(Σ x², epsilon), the sum over `axes` (default the last).
 * @param options.epsilon the least squared length; default 1e-12.
 */
export const l2Normalize = (
  x: TensorLike,
  { axes = [-1], epsilon = 1e-12 }: { readonly axes?: readonly number[]; readonly epsilon?: number } = {},
): Tensor =>
  scope('l2Normalize', () => {
    const t = toTensor(x)
    return mul(t, rsqrt(maximum(sum(square(t), { axes, keepDims: true }), epsilon)))
  })
