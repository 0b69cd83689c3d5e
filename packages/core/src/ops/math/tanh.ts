// The hyperbolic tangent.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'

/** The hyperbolic tangent of x. */
export const tanh = unary({
  name: 'Tanh',
  doc: 'The hyperbolic tangent of x.',
  traits: { monotone: 'increasing' },
  expr: E.tanh,
  grad: ({ dy, y }): Tensor => mul(dy, sub(1, square(y))),
})
