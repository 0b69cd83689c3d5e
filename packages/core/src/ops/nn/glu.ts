// Gated linear units.
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { formatShape, normalizeAxis } from '../../shape.ts'
import { slice } from '../array/slice.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { mul } from '../math/mul.ts'
import { sigmoid } from '../math/sigmoid.ts'

/**
 * The first half of x along an axis (default the last) times the sigmoid of the second half.
 * @throws ShapeError when the size of the axis is odd or not known.
 */
export function glu(x: TensorLike, options: { readonly axis?: number } = {}): Tensor {
  const t = toTensor(x)
  const axis = normalizeAxis(options.axis ?? -1, t.rank)
  const whole = t.shape[axis]!
  if (typeof whole !== 'number' || whole % 2 !== 0) throw new ShapeError(`glu: axis ${axis} of ${formatShape(t.shape)} must have a known, even size`)
  const half = (begin: number): Tensor =>
    slice(t, { begin: t.shape.map((_, i) => (i === axis ? begin : 0)), size: t.shape.map((_, i) => (i === axis ? whole / 2 : -1)) })
  return mul(half(0), sigmoid(half(whole / 2)))
}
