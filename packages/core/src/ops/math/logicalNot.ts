// Logical negation.
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'

/** False where x is true, true where it is false. */
export const logicalNot = unary({
  name: 'LogicalNot',
  doc: 'False where x is true, true where it is false.',
  dtypes: ['bool'],
  traits: { involution: true },
  expr: E.not,
  grad: null,
})
