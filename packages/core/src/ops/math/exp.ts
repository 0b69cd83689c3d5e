// The exponential function.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'

/** e to the power of x. */
export const exp = unary({
  name: 'Exp',
  doc: 'e to the power of x.',
  traits: { monotone: 'increasing' },
  expr: E.exp,
  grad: ({ dy, y }): Tensor => mul(dy, y),
})
