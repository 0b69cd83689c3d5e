// Rounding down.
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'

/** The greatest whole number not above x. */
export const floor = unary({
  name: 'Floor',
  doc: 'The greatest whole number not above x.',
  traits: { idempotent: true, monotone: 'increasing' },
  expr: E.floor,
  grad: null,
})
