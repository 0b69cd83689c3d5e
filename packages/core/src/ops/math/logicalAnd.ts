// Logical conjunction.
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** True where a and b both are, element by element, with broadcasting. */
export const logicalAnd = binary({
  name: 'LogicalAnd',
  doc: 'True where a and b both are, element by element, with broadcasting.',
  dtypes: ['bool'],
  traits: { commutative: true, associative: true },
  expr: E.and,
  grad: null,
})
