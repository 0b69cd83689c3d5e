// Singular value decomposition.
import type { Tensor } from '../../graph/graph.ts'
import type { GradContext } from '../../op.ts'
import { defineOp } from '../../op.ts'
import type { Dim } from '../../shape.ts'
import { unknown } from '../../shape.ts'
import { expandDims } from '../array/expandDims.ts'
import { add } from '../math/add.ts'
import { div } from '../math/div.ts'
import { equal } from '../math/equal.ts'
import { mul } from '../math/mul.ts'
import { select } from '../math/select.ts'
import { square } from '../math/square.ts'
import { sub } from '../math/sub.ts'
import { matmul } from './matmul.ts'
import { matrixShape, realDTypes } from './matrices.ts'
import { transposed } from './triangle.ts'

/**
 * A = U·diag(s)·Vᵀ for matrices [..., m, n]: the singular values s [..., k], descending, k = min(m, n), and orthonormal columns U [..., m, k] and
 * V [..., n, k]. The component of largest magnitude of each column of V (of U where m < n) is positive. Gradients depend on U and V only where singular
 * values differ, and exist where none is 0.
 */
export const svd = defineOp({
  name: 'Svd',
  doc: 'A = U·diag(s)·Vᵀ: singular values, descending, and orthonormal columns of U and V.',
  inputs: ['a'],
  dtypes: [realDTypes],
  outputs: ['s', 'u', 'v'],
  infer: ([a]) => {
    const { batch, m, n } = matrixShape(a)
    const k = smaller(m, n)
    return [
      { dtype: a.dtype, shape: [...batch, k] },
      { dtype: a.dtype, shape: [...batch, m, k] },
      { dtype: a.dtype, shape: [...batch, n, k] },
    ]
  },
  grad: (context: GradContext<readonly ['a']>): [Tensor | null] => [svdGrad(context)],
  body: { kind: 'kernel' },
})

function smaller(m: Dim, n: Dim): Dim {
  if (m === n) return m
  return typeof m === 'number' && typeof n === 'number' ? Math.min(m, n) : unknown
}

/** Townsend, Differentiating the singular value decomposition (2016), with the parts of U and V that lie outside of their columns' span. */
function svdGrad({ dys: [ds, du, dv], outputs }: GradContext<readonly ['a']>): Tensor | null {
  const [s, u, v] = outputs as [Tensor, Tensor, Tensor]
  const across = expandDims(s, { axis: -2 })
  const down = expandDims(s, { axis: -1 })
  const gaps = sub(square(across), square(down))
  const none = equal(gaps, 0)
  /** The part of a change of the columns of q that turns them among themselves, over the gaps; 0 where values are equal. */
  const turning = (q: Tensor, dq: Tensor): Tensor => {
    const product = matmul(q, dq, { transposeA: true })
    return select(none, 0, div(sub(product, transposed(product)), select(none, 1, gaps)))
  }
  const outside = (q: Tensor, dq: Tensor): Tensor =>
    div(sub(dq, matmul(q, matmul(q, dq, { transposeA: true }))), across)
  const between = (inner: Tensor): Tensor => matmul(matmul(u, inner), v, { transposeB: true })
  const parts: Tensor[] = []
  if (ds) parts.push(matmul(mul(u, expandDims(ds, { axis: -2 })), v, { transposeB: true }))
  if (du) parts.push(between(mul(turning(u, du), across)), matmul(outside(u, du), v, { transposeB: true }))
  if (dv) parts.push(between(mul(down, turning(v, dv))), matmul(u, outside(v, dv), { transposeB: true }))
  return parts.length === 0 ? null : parts.reduce((x, y) => add(x, y))
}
