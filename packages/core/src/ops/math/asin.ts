// The inverse sine.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { rsqrt } from './rsqrt.ts'
import { square } from './square.ts'
import { sub } from './sub.ts'

/** The angle in [-π/2, π/2] whose sine is x; NaN outside [-1, 1]. */
export const asin = unary({
  name: 'Asin',
  doc: 'The angle in [-π/2, π/2] whose sine is x; NaN outside [-1, 1].',
  traits: { monotone: 'increasing' },
  expr: E.asin,
  grad: ({ dy, x }): Tensor => mul(dy, rsqrt(sub(1, square(x)))),
})
