// The natural logarithm.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { div } from './div.ts'

/** The natural logarithm of x; NaN below zero, -Infinity at zero. */
export const log = unary({
  name: 'Log',
  doc: 'The natural logarithm of x; NaN below zero, -Infinity at zero.',
  traits: { monotone: 'increasing' },
  expr: E.log,
  grad: ({ dy, x }): Tensor => div(dy, x),
})
