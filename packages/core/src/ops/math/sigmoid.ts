// The logistic function.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { sub } from './sub.ts'

/** 1 / (1 + e^-x). */
export const sigmoid = unary({
  name: 'Sigmoid',
  doc: '1 / (1 + e^-x).',
  traits: { monotone: 'increasing' },
  expr: (x) => E.div(E.num(1, x.dtype), E.add(E.num(1, x.dtype), E.exp(E.neg(x)))),
  grad: ({ dy, y }): Tensor => mul(dy, mul(y, sub(1, y))),
})
