// Rounding up.
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'

/** The least whole number not below x. */
export const ceil = unary({
  name: 'Ceil',
  doc: 'The least whole number not below x.',
  traits: { idempotent: true, monotone: 'increasing' },
  expr: E.ceil,
  grad: null,
})
