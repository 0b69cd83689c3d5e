// The square.
import { numerics } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'

/** x · x. */
export const square = unary({
  name: 'Square',
  doc: 'x · x.',
  dtypes: numerics,
  expr: (x) => E.mul(x, x),
  grad: ({ dy, x }): Tensor => mul(dy, mul(x, 2)),
})
