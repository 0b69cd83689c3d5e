// Equality.
import { E } from '../../ir/expr.ts'
import { comparison } from './comparison.ts'

/** a = b, element by element, with broadcasting; NaN equals nothing. */
export const equal = comparison({
  name: 'Equal',
  doc: 'a = b, element by element, with broadcasting; NaN equals nothing.',
  commutative: true,
  expr: E.eq,
})
