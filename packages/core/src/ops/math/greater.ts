// Order: above.
import { E } from '../../ir/expr.ts'
import { comparison } from './comparison.ts'

/** a > b, element by element, with broadcasting; false beside NaN. */
export const greater = comparison({
  name: 'Greater',
  doc: 'a > b, element by element, with broadcasting; false beside NaN.',
  expr: (a, b) => E.lt(b, a),
})
