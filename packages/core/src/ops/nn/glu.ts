// Gated linear units.
import type { Tensor } from '../../graph/graph.ts'
import { split } from '../array/split.ts'
import type { TensorLike } from '../constant.ts'
import { mul } from '../math/mul.ts'
import { sigmoid } from '../math/sigmoid.ts'

/**
 * The first half of x along an axis (default the last) times the sigmoid of the second half.
 * @throws ShapeError when the size of the axis is odd or not known.
 */
export function glu(x: TensorLike, { axis = -1 }: { readonly axis?: number } = {}): Tensor {
  const [value, gate] = split(x, 2, { axis })
  return mul(value!, sigmoid(gate!))
}
