// QR factorisation.
import { GradientError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { Dim } from '../../shape.ts'
import { unknown } from '../../shape.ts'
import { zerosLike } from '../array/fill.ts'
import { cutLike, padLike } from '../array/slice.ts'
import { add } from '../math/add.ts'
import { sub } from '../math/sub.ts'
import { matmul } from './matmul.ts'
import { matrixShape, realDTypes } from './matrices.ts'
import { lowerTriangle, strictLowerTriangle, transposed } from './triangle.ts'
import { triangularSolve } from './triangularSolve.ts'

const attributes = { full: attr.bool('is Q square, and R as tall as A?', false) }

/**
 * A = Q·R for matrices [..., m, n], with orthonormal columns in Q [..., m, k] and upper triangular R [..., k, n], k = min(m, n), or m when `full`.
 * By Householder reflections: the diagonal of R may be negative. The gradient needs the first k columns of A to be independent,
 * and a reduced Q where m > n.
 */
export const qr = defineOp({
  name: 'Qr',
  doc: 'A = Q·R with orthonormal columns in Q and upper triangular R.',
  inputs: ['a'],
  dtypes: [realDTypes],
  attrs: attributes,
  outputs: ['q', 'r'],
  infer: ([a], { full }) => {
    const { batch, m, n } = matrixShape(a)
    const k = full ? m : smaller(m, n)
    return [
      { dtype: a.dtype, shape: [...batch, m, k] },
      { dtype: a.dtype, shape: [...batch, k, n] },
    ]
  },
  grad: (context: GradContext<readonly ['a'], typeof attributes>): [Tensor] => [qrGrad(context)],
  body: { kind: 'kernel' },
})

function smaller(m: Dim, n: Dim): Dim {
  if (m === n) return m
  return typeof m === 'number' && typeof n === 'number' ? Math.min(m, n) : unknown
}

/**
 * With A = [X Y], X its first k columns, and R = [U V] cut likewise: X = Q·U and V = Qᵀ·Y, so the gradient of V reaches Q and Y, and the rest is
 * that of the square or tall X (Walter and Lehmann, Algorithmic differentiation of linear algebra functions, 2018). Tall A has no Y: those terms are 0.
 */
function qrGrad({
  dys,
  inputs: [a],
  outputs,
  attrs: { full },
  node,
}: GradContext<readonly ['a'], typeof attributes>): Tensor {
  const [m, n] = a.shape.slice(-2)
  if (full && typeof m === 'number' && typeof n === 'number' && m > n)
    throw new GradientError('the full factorisation of a tall matrix has no gradient: leave out `full`', {
      node,
    })
  const [q, r] = outputs as [Tensor, Tensor]
  const dq = dys[0] ?? zerosLike(q)
  const dr = dys[1] ?? zerosLike(r)
  const begin = new Array<number>(a.rank).fill(0)
  // Only their shapes are used: [..., k, k] for U.
  const square = matmul(q, q, { transposeA: true })
  const first = (x: Tensor, like: Tensor): Tensor => cutLike(x, like, { begin })
  const withoutFirst = (x: Tensor, like: Tensor): Tensor => sub(x, padLike(first(x, like), x, { begin }))
  const u = first(r, square)
  const du = first(dr, square)
  const dv = withoutFirst(dr, square)
  const dqAll = add(dq, matmul(withoutFirst(a, q), dv, { transposeB: true }))
  const skew = sub(matmul(u, du, { transposeB: true }), matmul(dqAll, q, { transposeA: true }))
  const copied = add(lowerTriangle(skew), transposed(strictLowerTriangle(skew)))
  const dx = transposed(triangularSolve(u, transposed(add(dqAll, matmul(q, copied))), { lower: false }))
  return add(padLike(dx, a, { begin }), matmul(q, dv))
}
