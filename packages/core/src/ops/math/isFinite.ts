// Which elements are finite.
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'

/** True where x is neither NaN nor infinite. */
export const isFinite = unary({
  name: 'IsFinite',
  doc: 'True where x is neither NaN nor infinite.',
  result: 'bool',
  expr: (x) => E.lt(E.abs(x), E.num(Number.POSITIVE_INFINITY, x.dtype)),
  grad: null,
})
