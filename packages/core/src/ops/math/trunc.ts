// Rounding towards zero.
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'

/** x without its fraction. */
export const trunc = unary({
  name: 'Trunc',
  doc: 'x without its fraction.',
  traits: { idempotent: true, monotone: 'increasing' },
  expr: E.trunc,
  grad: null,
})
