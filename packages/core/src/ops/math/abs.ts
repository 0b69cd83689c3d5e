// The absolute value.
import { numerics } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { sign } from './sign.ts'

/** |x|; the lowest signed integer wraps to itself. */
export const abs = unary({
  name: 'Abs',
  doc: '|x|; the lowest signed integer wraps to itself.',
  dtypes: numerics,
  traits: { idempotent: true },
  expr: E.abs,
  grad: ({ dy, x }): Tensor => mul(dy, sign(x)),
})
