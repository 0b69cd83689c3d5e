// A number times the logarithm of one more, zero for zero.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { add } from './add.ts'
import { div } from './div.ts'
import { equal } from './equal.ts'
import { log1p } from './log1p.ts'
import { mul } from './mul.ts'
import { select } from './select.ts'

/** a · log(1 + b), or 0 where a is 0, element by element, with broadcasting. */
export const xlog1py = binary({
  name: 'Xlog1py',
  doc: 'a · log(1 + b), or 0 where a is 0, element by element, with broadcasting.',
  dtypes: floats,
  expr: (a, b) => E.select(E.eq(a, E.num(0, a.dtype)), a, E.mul(a, E.log1p(b))),
  grad: ({ dy, a, b }): [Tensor, Tensor] => {
    const used = select(equal(a, 0), 0, b)
    return [mul(dy, log1p(used)), mul(dy, div(a, add(used, 1)))]
  },
})
