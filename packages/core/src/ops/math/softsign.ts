// A rational sigmoid.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { abs } from './abs.ts'
import { add } from './add.ts'
import { div } from './div.ts'
import { square } from './square.ts'

/** x / (1 + |x|). */
export const softsign = unary({
  name: 'Softsign',
  doc: 'x / (1 + |x|).',
  traits: { monotone: 'increasing' },
  expr: (x) => E.div(x, E.add(E.num(1, x.dtype), E.abs(x))),
  grad: ({ dy, x }): Tensor => div(dy, square(add(abs(x), 1))),
})
