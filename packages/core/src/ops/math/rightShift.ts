// Bits moved down.
import { integers } from '../../dtype.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** a with its bits moved down by b places (modulo the width), keeping the sign, element by element, with broadcasting. */
export const rightShift = binary({
  name: 'RightShift',
  doc: 'a with its bits moved down by b places (modulo the width), keeping the sign, element by element, with broadcasting.',
  dtypes: integers,
  expr: E.shr,
  grad: null,
})
