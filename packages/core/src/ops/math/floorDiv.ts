// Division rounded down.
import { dtypes } from '../../dtype.ts'
import type { Expr } from '../../ir/expr.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** ⌊a / b⌋, element by element, with broadcasting; integers divided by 0 answer 0. */
export const floorDiv = binary({
  name: 'FloorDiv',
  doc: '⌊a / b⌋, element by element, with broadcasting; integers divided by 0 answer 0.',
  expr: floorOfRatio,
  grad: null,
})

/** Integer division truncates: one less where that went up. */
function floorOfRatio(a: Expr, b: Expr): Expr {
  const quotient = E.div(a, b)
  if (dtypes[a.dtype].kind === 'float') return E.floor(quotient)
  if (dtypes[a.dtype].kind === 'uint') return quotient
  const zero = E.num(0, a.dtype)
  const inexact = E.and(E.ne(b, zero), E.ne(E.rem(a, b), zero))
  const wentUp = E.and(inexact, E.xor(E.lt(a, zero), E.lt(b, zero)))
  return E.select(wentUp, E.sub(quotient, E.num(1, a.dtype)), quotient)
}
