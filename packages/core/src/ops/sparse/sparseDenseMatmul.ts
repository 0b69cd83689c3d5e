// Products of sparse and dense matrices, without filling in the zeros.
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { formatShape, mergeDim, unknown } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { expandDims } from '../array/expandDims.ts'
import { fill } from '../array/fill.ts'
import { gatherNd } from '../array/gatherNd.ts'
import { slice } from '../array/slice.ts'
import { tensorScatter } from '../array/tensorScatter.ts'
import { mul } from '../math/mul.ts'
import { transposed } from '../linalg/triangle.ts'
import type { SparseTensor } from './sparseTensor.ts'

/**
 * Sparse a [m, k] times dense b [k, n]: [m, n]. Differentiable by the values of a and by b.
 * @param options.adjointA use a transposed; `adjointB` b.
 * @throws ShapeError when the shapes do not fit, or the sizes of the result are unknown while the graph is built.
 */
export function sparseDenseMatmul(
  a: SparseTensor,
  b: TensorLike,
  options: { readonly adjointA?: boolean; readonly adjointB?: boolean } = {},
): Tensor {
  const given = toTensor(b, a.dtype)
  if (a.rank !== 2 || given.rank !== 2)
    throw new ShapeError(
      `sparseDenseMatmul needs matrices, got ${formatShape(a.shape)} × ${formatShape(given.shape)}`,
    )
  const dense = options.adjointB ? transposed(given) : given
  const [rowAxis, innerAxis] = options.adjointA ? [1, 0] : [0, 1]
  mergeDim(
    a.shape[innerAxis]!,
    dense.shape[0]!,
    `sparseDenseMatmul: inner sizes differ, ${formatShape(a.shape)} × ${formatShape(given.shape)}`,
  )
  const shape = [a.shape[rowAxis]!, dense.shape[1]!]
  if (shape.includes(unknown))
    throw new ShapeError(
      `sparseDenseMatmul: the result ${formatShape(shape)} has an unknown size: give the SparseTensor its shape as sizes or names`,
    )
  const column = (axis: number): Tensor => slice(a.indices, { begin: [0, axis], size: [-1, 1] })
  const terms = mul(expandDims(a.values, { axis: -1 }), gatherNd(dense, column(innerAxis)))
  return tensorScatter(fill({ shape, dtype: a.dtype }), column(rowAxis), terms, { update: 'add' })
}
