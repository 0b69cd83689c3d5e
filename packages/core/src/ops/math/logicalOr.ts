// Logical disjunction.
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** True where a or b is, or both are, element by element, with broadcasting. */
export const logicalOr = binary({
  name: 'LogicalOr',
  doc: 'True where a or b is, or both are, element by element, with broadcasting.',
  dtypes: ['bool'],
  traits: { commutative: true, associative: true },
  expr: E.or,
  grad: null,
})
