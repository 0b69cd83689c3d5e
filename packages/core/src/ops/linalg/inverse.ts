// Inverses of square matrices.
import type { Tensor } from '../../graph/graph.ts'
import { defineOp } from '../../op.ts'
import { neg } from '../math/neg.ts'
import { matmul } from './matmul.ts'
import { realDTypes, squareShape } from './matrices.ts'
import { solve } from './solve.ts'
import { identityLike } from './triangle.ts'

/** The inverse of square matrices [..., n, n]. A run throws RunError when one is singular; prefer `solve` to multiplying by an inverse. */
export const inverse = defineOp({
  name: 'Inverse',
  doc: 'The inverse of square matrices [..., n, n].',
  inputs: ['a'],
  dtypes: [realDTypes],
  infer: ([a]) => {
    squareShape(a)
    return [a]
  },
  grad: ({ dy, outputs: [y] }): [Tensor] => [
    neg(matmul(y!, matmul(dy, y!, { transposeB: true }), { transposeA: true })),
  ],
  body: { kind: 'composite', build: ([a]): Tensor => solve(a, identityLike(a)) },
})
