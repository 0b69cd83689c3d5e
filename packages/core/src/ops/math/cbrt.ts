// The cube root.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'
import { square } from './square.ts'

/** The cube root of x, which has the sign of x. */
export const cbrt = unary({
  name: 'Cbrt',
  doc: 'The cube root of x, which has the sign of x.',
  traits: { monotone: 'increasing' },
  expr: (x) => E.mul(E.sign(x), E.pow(E.abs(x), E.num(1 / 3, x.dtype))),
  grad: ({ dy, y }): Tensor => div(dy, mul(square(y), 3)),
})
