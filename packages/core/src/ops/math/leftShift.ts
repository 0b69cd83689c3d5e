// Bits moved up.
import { integers } from '../../dtype.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** a with its bits moved up by b places (modulo the width), element by element, with broadcasting. */
export const leftShift = binary({
  name: 'LeftShift',
  doc: 'a with its bits moved up by b places (modulo the width), element by element, with broadcasting.',
  dtypes: integers,
  expr: E.shl,
  grad: null,
})
