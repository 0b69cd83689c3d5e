// The inverse hyperbolic tangent.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { div } from './div.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'

/** The number whose hyperbolic tangent is x; NaN outside [-1, 1]. */
export const atanh = unary({
  name: 'Atanh',
  doc: 'The number whose hyperbolic tangent is x; NaN outside [-1, 1].',
  traits: { monotone: 'increasing' },
  expr: E.atanh,
  grad: ({ dy, x }): Tensor => div(dy, sub(1, square(x))),
})
