// Which elements are infinite.
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'

/** True where x is Infinity or -Infinity. */
export const isInf = unary({
  name: 'IsInf',
  doc: 'True where x is Infinity or -Infinity.',
  result: 'bool',
  expr: (x) => E.eq(E.abs(x), E.num(Number.POSITIVE_INFINITY, x.dtype)),
  grad: null,
})
