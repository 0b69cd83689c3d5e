// Inequality.
import { E } from '../../ir/expr.ts'
import { comparison } from './comparison.ts'

/** a ≠ b, element by element, with broadcasting; NaN differs from everything. */
export const notEqual = comparison({
  name: 'NotEqual',
  doc: 'a ≠ b, element by element, with broadcasting; NaN differs from everything.',
  commutative: true,
  expr: E.ne,
})
