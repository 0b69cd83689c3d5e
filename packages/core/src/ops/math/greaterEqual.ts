// Order: not below.
import { E } from '../../ir/expr.ts'
import { comparison } from './comparison.ts'

/** a ≥ b, element by element, with broadcasting; false beside NaN. */
export const greaterEqual = comparison({
  name: 'GreaterEqual',
  doc: 'a ≥ b, element by element, with broadcasting; false beside NaN.',
  expr: (a, b) => E.le(b, a),
})
