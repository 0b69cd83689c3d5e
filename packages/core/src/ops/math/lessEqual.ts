// Order: not above.
import { E } from '../../ir/expr.ts'
import { comparison } from './comparison.ts'

/** a ≤ b, element by element, with broadcasting; false beside NaN. */
export const lessEqual = comparison({
  name: 'LessEqual',
  doc: 'a ≤ b, element by element, with broadcasting; false beside NaN.',
  expr: E.le,
})
