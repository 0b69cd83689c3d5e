// The logarithm with base 10.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'

/** The logarithm of x with base 10. */
export const log10 = unary({
  name: 'Log10',
  doc: 'The logarithm of x with base 10.',
  traits: { monotone: 'increasing' },
  expr: (x) => E.div(E.log(x), E.num(Math.LN10, x.dtype)),
  grad: ({ dy, x }): Tensor => div(dy, mul(x, Math.LN10)),
})
