// The inverse hyperbolic cosine.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { rsqrt } from './rsqrt.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'

/** The number not below 0 whose hyperbolic cosine is x; NaN below 1. */
export const acosh = unary({
  name: 'Acosh',
  doc: 'The number not below 0 whose hyperbolic cosine is x; NaN below 1.',
  traits: { monotone: 'increasing' },
  expr: E.acosh,
  grad: ({ dy, x }): Tensor => mul(dy, rsqrt(sub(square(x), 1))),
})
