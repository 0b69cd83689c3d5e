// Bitwise xor.
import { integers } from '../../dtype.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** The bits that one of a and b has, but not both, element by element, with broadcasting. */
export const bitwiseXor = binary({
  name: 'BitwiseXor',
  doc: 'The bits that one of a and b has, but not both, element by element, with broadcasting.',
  dtypes: integers,
  traits: { commutative: true, associative: true },
  expr: E.xor,
  grad: null,
})
