// The complement of the error function.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { exp } from './exp.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { square } from './square.ts'

/** 1 - erf(x), accurate for large x. */
export const erfc = unary({
  name: 'Erfc',
  doc: '1 - erf(x), accurate for large x.',
  traits: { monotone: 'decreasing' },
  expr: E.erfc,
  grad: ({ dy, x }): Tensor => mul(dy, mul(exp(neg(square(x))), -2 / Math.sqrt(Math.PI))),
})
