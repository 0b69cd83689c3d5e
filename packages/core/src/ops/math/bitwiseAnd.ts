// Bitwise and.
import { integers } from '../../dtype.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** The bits that a and b both have, element by element, with broadcasting. */
export const bitwiseAnd = binary({
  name: 'BitwiseAnd',
  doc: 'The bits that a and b both have, element by element, with broadcasting.',
  dtypes: integers,
  traits: { commutative: true, associative: true },
  expr: E.and,
  grad: null,
})
