// Order: below.
import { E } from '../../ir/expr.ts'
import { comparison } from './comparison.ts'

/** a < b, element by element, with broadcasting; false beside NaN. */
export const less = comparison({
  name: 'Less',
  doc: 'a < b, element by element, with broadcasting; false beside NaN.',
  expr: E.lt,
})
