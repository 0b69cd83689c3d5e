// The logarithm with base 2.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'

/** The logarithm of x with base 2. */
export const log2 = unary({
  name: 'Log2',
  doc: 'The logarithm of x with base 2.',
  traits: { monotone: 'increasing' },
  expr: (x) => E.div(E.log(x), E.num(Math.LN2, x.dtype)),
  grad: ({ dy, x }): Tensor => div(dy, mul(x, Math.LN2)),
})
