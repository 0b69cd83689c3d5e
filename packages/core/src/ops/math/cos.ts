// The cosine.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { sin } from './sin.ts'

/** The cosine of x, in radians. */
export const cos = unary({
  name: 'Cos',
  doc: 'The cosine of x, in radians.',
  expr: E.cos,
  grad: ({ dy, x }): Tensor => neg(mul(dy, sin(x))),
})
