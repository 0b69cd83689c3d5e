// Least squares, and the pseudo-inverse that it amounts to.
import type { Tensor } from '../../graph/graph.ts'
import { defineOp } from '../../op.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { sameDType } from '../elementwise.ts'
import { add } from '../math/add.ts'
import { sub } from '../math/sub.ts'
import { matmul } from './matmul.ts'
import { realDTypes, solutionType } from './matrices.ts'
import { qr } from './qr.ts'
import { identityLike, transposed } from './triangle.ts'
import { triangularSolve } from './triangularSolve.ts'

/**
 * X [..., n, k] of least |A·X − B|² for A [..., m, n] of full rank and B [..., m, k]; of several (m < n) the one of least norm. By QR factorisation.
 */
export const lstsq = defineOp({
  name: 'Lstsq',
  doc: 'X of least |A·X − B|² for A of full rank; of several the one of least norm.',
  inputs: ['a', 'b'],
  dtypes: [realDTypes, realDTypes],
  infer: ([a, b]) => [{ ...solutionType(a, b), dtype: sameDType([a, b]) }],
  // From the differential of the pseudo-inverse (Golub and Pereyra, 1973); one rule for tall and wide matrices.
  grad({ dy, inputs: [a, b], outputs: [x] }): [Tensor, Tensor] {
    const at = transposed(a)
    const db = lstsq(at, dy)
    const residual = sub(b, matmul(a, x!))
    const fromResidual = matmul(residual, lstsq(a, db), { transposeB: true })
    const fromKernel = matmul(lstsq(at, x!), sub(dy, matmul(at, db)), { transposeB: true })
    return [add(sub(fromResidual, matmul(db, x!, { transposeB: true })), fromKernel), db]
  },
  body: {
    kind: 'composite',
    build: ([a, b]): Tensor => {
      const [m, n] = a.shape.slice(-2) as [number, number]
      if (m >= n) {
        const [q, r] = qr(a)
        return triangularSolve(r, matmul(q, b, { transposeA: true }), { lower: false })
      }
      const [q, r] = qr(transposed(a))
      return matmul(q, triangularSolve(r, b, { lower: false, adjoint: true }))
    },
  },
})

/** The pseudo-inverse [..., n, m] of matrices [..., m, n] of full rank. */
export function pinv(a: TensorLike): Tensor {
  const matrix = toTensor(a)
  return lstsq(matrix, identityLike(matrix))
}
