// Rounding to the nearest.
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'

/** The whole number nearest to x; halves go to the even one. */
export const round = unary({
  name: 'Round',
  doc: 'The whole number nearest to x; halves go to the even one.',
  traits: { idempotent: true, monotone: 'increasing' },
  expr: E.round,
  grad: null,
})
