// The exponential function with base 2.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'

/** 2 to the power of x. */
export const exp2 = unary({
  name: 'Exp2',
  doc: '2 to the power of x.',
  traits: { monotone: 'increasing' },
  expr: (x) => E.pow(E.num(2, x.dtype), x),
  grad: ({ dy, y }): Tensor => mul(dy, mul(y, Math.LN2)),
})
