// Which elements are not numbers.
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'

/** True where x is NaN. */
export const isNaN = unary({
  name: 'IsNaN',
  doc: 'True where x is NaN.',
  result: 'bool',
  expr: (x) => E.ne(x, x),
  grad: null,
})
