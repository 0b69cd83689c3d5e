// The square root.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'

/** The square root of x; NaN below zero. */
export const sqrt = unary({
  name: 'Sqrt',
  doc: 'The square root of x; NaN below zero.',
  traits: { monotone: 'increasing' },
  expr: E.sqrt,
  grad: ({ dy, y }): Tensor => div(mul(dy, 0.5), y),
})
