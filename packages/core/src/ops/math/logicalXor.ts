// Logical difference.
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** True where one of a and b is, but not both, element by element, with broadcasting. */
export const logicalXor = binary({
  name: 'LogicalXor',
  doc: 'True where one of a and b is, but not both, element by element, with broadcasting.',
  dtypes: ['bool'],
  traits: { commutative: true, associative: true },
  expr: E.xor,
  grad: null,
})
