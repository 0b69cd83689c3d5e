// Linear systems with triangular matrices.
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import { sameDType } from '../elementwise.ts'
import { neg } from '../math/neg.ts'
import { matmul } from './matmul.ts'
import { realDTypes, solutionType, squareShape } from './matrices.ts'
import { lowerTriangle, upperTriangle } from './triangle.ts'

/** X [..., n, k] with A·X = B (or Aᵀ·X = B), where of A [..., n, n] only one triangle is read; batch axes are equal. */
export const triangularSolve = defineOp({
  name: 'TriangularSolve',
  doc: 'X with A·X = B, where only one triangle of A is read.',
  inputs: ['a', 'b'],
  dtypes: [realDTypes, realDTypes],
  attrs: {
    lower: attr.bool('read the lower triangle, not the upper one', true),
    adjoint: attr.bool('solve Aᵀ·X = B', false),
  },
  infer: ([a, b]) => {
    squareShape(a)
    return [{ ...solutionType(a, b), dtype: sameDType([a, b]) }]
  },
  grad({ dy, inputs: [a], outputs: [x], attrs: { lower, adjoint } }): [Tensor, Tensor] {
    const db = triangularSolve(a, dy, { lower, adjoint: !adjoint })
    const da = neg(adjoint ? matmul(x!, db, { transposeB: true }) : matmul(db, x!, { transposeB: true }))
    return [lower ? lowerTriangle(da) : upperTriangle(da), db]
  },
  body: { kind: 'kernel' },
})
