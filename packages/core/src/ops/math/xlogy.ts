// A number times a logarithm, zero for zero.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { div } from './div.ts'
import { equal } from './equal.ts'
import { log } from './log.ts'
import { mul } from './mul.ts'
import { select } from './select.ts'

/** a · log b, or 0 where a is 0, element by element, with broadcasting. */
export const xlogy = binary({
  name: 'Xlogy',
  doc: 'a · log b, or 0 where a is 0, element by element, with broadcasting.',
  dtypes: floats,
  expr: (a, b) => E.select(E.eq(a, E.num(0, a.dtype)), a, E.mul(a, E.log(b))),
  grad: ({ dy, a, b }): [Tensor, Tensor] => {
    const used = select(equal(a, 0), 1, b)
    return [mul(dy, log(used)), mul(dy, div(a, used))]
  },
})
