// Division that answers zero for a zero divisor.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'

/** a / b, or 0 where b is 0, element by element, with broadcasting. */
export const divNoNan = binary({
  name: 'DivNoNan',
  doc: 'a / b, or 0 where b is 0, element by element, with broadcasting.',
  dtypes: floats,
  expr: (a, b) => E.select(E.eq(b, E.num(0, b.dtype)), b, E.div(a, b)),
  grad: ({ dy, b, y }): [Tensor, Tensor] => [divNoNan(dy, b), neg(divNoNan(mul(dy, y), b))],
})
