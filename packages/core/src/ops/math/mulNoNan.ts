// Multiplication in which zero wins.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** a · b, or 0 where b is 0 even if a is infinite or NaN, element by element, with broadcasting. */
export const mulNoNan = binary({
  name: 'MulNoNan',
  doc: 'a · b, or 0 where b is 0 even if a is infinite or NaN, element by element, with broadcasting.',
  dtypes: floats,
  expr: (a, b) => E.select(E.eq(b, E.num(0, b.dtype)), b, E.mul(a, b)),
  grad: ({ dy, a, b }): [Tensor, Tensor] => [mulNoNan(dy, b), mulNoNan(a, dy)],
})
