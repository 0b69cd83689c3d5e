// Lengths of vectors.
import { AttrError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { abs } from '../math/abs.ts'
import { divNoNan } from '../math/divNoNan.ts'
import { mul } from '../math/mul.ts'
import { pow } from '../math/pow.ts'
import { sqrt } from '../math/sqrt.ts'
import { square } from '../math/square.ts'
import { compositeReduction } from './compositeReduction.ts'
import { keepReduced } from './keepReduced.ts'
import { max } from './max.ts'
import { min } from './min.ts'
import { sum } from './sum.ts'

/** √Σx² over axes, all of them by default: the Euclidean norm of vectors, the Frobenius norm of matrices. Its gradient at 0 is 0. */
export const euclideanNorm = compositeReduction({
  name: 'EuclideanNorm',
  doc: '√Σx² over axes, all of them by default; its gradient at 0 is 0.',
  build: (x, over) => sqrt(sum(square(x), over)),
  grad: ({ dy, x, y, axes }): Tensor => mul(keepReduced(dy, x, axes), divNoNan(x, keepReduced(y, x, axes))),
})

/**
 * The norm (Σ|x|^p)^(1/p) over axes, all of them by default.
 * @param options.order p: default 2 (over two axes: Frobenius); 1; Infinity: the greatest |x|; -Infinity: the least; any other positive number.
 * @throws AttrError for an order that makes no norm.
 */
export function norm(
  x: TensorLike,
  {
    order = 2,
    ...over
  }: { readonly order?: number; readonly axes?: readonly number[]; readonly keepDims?: boolean } = {},
): Tensor {
  const values = toTensor(x)
  if (order === 2) return euclideanNorm(values, over)
  if (order === 1) return sum(abs(values), over)
  if (order === Number.POSITIVE_INFINITY) return max(abs(values), over)
  if (order === Number.NEGATIVE_INFINITY) return min(abs(values), over)
  if (!(order > 0)) throw new AttrError(`norm: order ${order} is not positive`)
  return pow(sum(pow(abs(values), order), over), 1 / order)
}
