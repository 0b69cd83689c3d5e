// Division rounded towards zero.
import { dtypes } from '../../dtype.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** a / b without its fraction, element by element, with broadcasting; integers divided by 0 answer 0. */
export const truncDiv = binary({
  name: 'TruncDiv',
  doc: 'a / b without its fraction, element by element, with broadcasting; integers divided by 0 answer 0.',
  expr: (a, b) => (dtypes[a.dtype].kind === 'float' ? E.trunc(E.div(a, b)) : E.div(a, b)),
  grad: null,
})
