// Attention: each query takes a mix of the values, weighted by how well their keys fit it.
import { floats } from '../../dtype.ts'
import { DTypeError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import { formatShape } from '../../shape.ts'
import { indexLike } from '../array/indexLike.ts'
import type { TensorLike } from '../constant.ts'
import { constant, toTensor } from '../constant.ts'
import { matmul } from '../linalg/matmul.ts'
import { greaterEqual } from '../math/greaterEqual.ts'
import { mul } from '../math/mul.ts'
import { select } from '../math/select.ts'
import { softmax } from './softmax.ts'

/**
 * softmax(q · kᵀ · scale) · v for q [..., queries, depth], k [..., keys, depth], v [..., keys, width] → [..., queries, width].
 * A query that may attend to nothing takes the plain mean of all values. Vaswani et al., 2017.
 * @param options.mask bool, broadcasts with [..., queries, keys]: true where a query may attend to a key.
 * @param options.causal query i attends to keys 0 to i only; default false.
 * @param options.scale default 1 / √depth.
 * @throws ShapeError when no scale is given and the depth is not known.
 */
export function scaledDotProductAttention(
  q: TensorLike,
  k: TensorLike,
  v: TensorLike,
  {
    mask,
    causal = false,
    scale,
  }: { readonly mask?: TensorLike; readonly causal?: boolean; readonly scale?: number } = {},
): Tensor {
  const queries = toTensor(q)
  if (!floats.includes(queries.dtype))
    throw new DTypeError(`scaledDotProductAttention: queries are ${queries.dtype}; cast them to a float`)
  const depth = queries.shape.at(-1)
  if (scale === undefined && typeof depth !== 'number')
    throw new ShapeError(
      `scaledDotProductAttention: the depth of the queries ${formatShape(queries.shape)} is not known: state the scale`,
    )
  return scope('attention', () => {
    const scores = matmul(mul(queries, scale ?? 1 / Math.sqrt(depth as number)), toTensor(k, queries.dtype), {
      transposeB: true,
    })
    const low = lowest(queries)
    const past = causal
      ? select(greaterEqual(indexLike(scores, { axis: -2 }), indexLike(scores, { axis: -1 })), scores, low)
      : scores
    const seen = mask === undefined ? past : select(toTensor(mask), past, low)
    return matmul(softmax(seen), toTensor(v, queries.dtype))
  })
}

/** A score whose probability is 0 beside any other, and yet finite: a row of nothing else must not be NaN. */
const lowest = (x: Tensor): Tensor => constant(x.dtype === 'float16' ? -65504 : -1e30, x.dtype)
