// Negation.
import { numerics } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'

/** -x; unsigned integers wrap. */
export const neg = unary({
  name: 'Neg',
  doc: '-x; unsigned integers wrap.',
  dtypes: numerics,
  traits: { involution: true, monotone: 'decreasing' },
  expr: E.neg,
  grad: ({ dy }): Tensor => neg(dy),
})
