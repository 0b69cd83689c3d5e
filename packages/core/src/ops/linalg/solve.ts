// Linear systems with square matrices.
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import { sameDType } from '../elementwise.ts'
import { neg } from '../math/neg.ts'
import { matmul } from './matmul.ts'
import { realDTypes, solutionType, squareShape } from './matrices.ts'

/**
 * X [..., n, k] with A·X = B (or Aᵀ·X = B) for square A [..., n, n], by elimination with partial pivoting; batch axes are equal.
 * A run throws RunError when a matrix is singular.
 */
export const solve = defineOp({
  name: 'Solve',
  doc: 'X with A·X = B for square A, by elimination with partial pivoting.',
  inputs: ['a', 'b'],
  dtypes: [realDTypes, realDTypes],
  attrs: { adjoint: attr.bool('solve Aᵀ·X = B', false) },
  infer: ([a, b]) => {
    squareShape(a)
    return [{ ...solutionType(a, b), dtype: sameDType([a, b]) }]
  },
  grad({ dy, inputs: [a], outputs: [x], attrs: { adjoint } }): [Tensor, Tensor] {
    const db = solve(a, dy, { adjoint: !adjoint })
    return [neg(adjoint ? matmul(x!, db, { transposeB: true }) : matmul(db, x!, { transposeB: true })), db]
  },
  body: { kind: 'kernel' },
})
