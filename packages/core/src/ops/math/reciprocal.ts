// The reciprocal.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { square } from './square.ts'

/** 1 / x. */
export const reciprocal = unary({
  name: 'Reciprocal',
  doc: '1 / x.',
  expr: (x) => E.div(E.num(1, x.dtype), x),
  grad: ({ dy, y }): Tensor => neg(mul(dy, square(y))),
})
