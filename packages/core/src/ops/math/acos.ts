// The inverse cosine.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { rsqrt } from './rsqrt.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'

/** The angle in [0, π] whose cosine is x; NaN outside [-1, 1]. */
export const acos = unary({
  name: 'Acos',
  doc: 'The angle in [0, π] whose cosine is x; NaN outside [-1, 1].',
  traits: { monotone: 'decreasing' },
  expr: E.acos,
  grad: ({ dy, x }): Tensor => neg(mul(dy, rsqrt(sub(1, square(x))))),
})
