// Bitwise or.
import { integers } from '../../dtype.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** The bits that a or b has, element by element, with broadcasting. */
export const bitwiseOr = binary({
  name: 'BitwiseOr',
  doc: 'The bits that a or b has, element by element, with broadcasting.',
  dtypes: integers,
  traits: { commutative: true, associative: true },
  expr: E.or,
  grad: null,
})
