// Cholesky factorisation.
import type { Tensor } from '../../graph/graph.ts'
import { defineOp } from '../../op.ts'
import type { TensorLike } from '../constant.ts'
import { toTensors } from '../constant.ts'
import { mul } from '../math/mul.ts'
import { sub } from '../math/sub.ts'
import { indexLike } from '../array/indexLike.ts'
import { equal } from '../math/equal.ts'
import { select } from '../math/select.ts'
import { matmul } from './matmul.ts'
import { realDTypes, squareShape } from './matrices.ts'
import { lowerTriangle, symmetrized, transposed } from './triangle.ts'
import { triangularSolve } from './triangularSolve.ts'

/**
 * The lower triangular L with A = L·Lᵀ of symmetric positive definite matrices [..., n, n]. Only the lower triangle of A is read.
 * The gradient is that of the symmetrised input: it is symmetric itself.
 * A run throws RunError when a matrix is not positive definite.
 */
export const cholesky = defineOp({
  name: 'Cholesky',
  doc: 'The lower triangular L with A = L·Lᵀ of symmetric positive definite matrices [..., n, n].',
  inputs: ['a'],
  dtypes: [realDTypes],
  infer: ([a]) => {
    squareShape(a)
    return [a]
  },
  // Murray, Differentiation of the Cholesky decomposition (2016), eq. 10: Φ(Lᵀ·dL) between inverses of L.
  grad({ dy, outputs: [l] }): [Tensor] {
    const product = lowerTriangle(matmul(l!, lowerTriangle(dy), { transposeA: true }))
    const onDiagonal = equal(indexLike(product, { axis: -1 }), indexLike(product, { axis: -2 }))
    const phi = sub(product, select(onDiagonal, mul(product, 0.5), 0))
    const left = triangularSolve(l!, phi, { adjoint: true })
    return [symmetrized(transposed(triangularSolve(l!, transposed(left), { adjoint: true })))]
  },
  body: { kind: 'kernel' },
})

/** X with A·X = B from the Cholesky factor L [..., n, n] of A, for B [..., n, k]. */
export function choleskySolve(l: TensorLike, b: TensorLike): Tensor {
  const [factor, right] = toTensors([l, b], triangularSolve.def) as [Tensor, Tensor]
  return triangularSolve(factor, triangularSolve(factor, right), { adjoint: true })
}
