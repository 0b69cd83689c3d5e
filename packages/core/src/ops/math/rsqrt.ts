// The reciprocal of the square root.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'

/** 1 / √x; NaN below zero, Infinity at zero. */
export const rsqrt = unary({
  name: 'Rsqrt',
  doc: '1 / √x; NaN below zero, Infinity at zero.',
  traits: { monotone: 'decreasing' },
  expr: (x) => E.div(E.num(1, x.dtype), E.sqrt(x)),
  grad: ({ dy, x, y }): Tensor => div(mul(dy, mul(y, -0.5)), x),
})
