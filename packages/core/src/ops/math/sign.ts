// The sign.
import { numerics } from '../../dtype.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'

/** -1, 0 or 1 as x is negative, zero or positive. */
export const sign = unary({
  name: 'Sign',
  doc: '-1, 0 or 1 as x is negative, zero or positive.',
  dtypes: numerics,
  traits: { idempotent: true, monotone: 'increasing' },
  expr: E.sign,
  grad: null,
})
