// Inverted bits.
import { integers } from '../../dtype.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'

/** x with every bit inverted. */
export const bitwiseNot = unary({
  name: 'BitwiseNot',
  doc: 'x with every bit inverted.',
  dtypes: integers,
  traits: { involution: true },
  expr: E.bitNot,
  grad: null,
})
