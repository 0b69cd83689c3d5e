// The logarithm of one more.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { add } from './add.ts'
import { div } from './div.ts'

/** log(1 + x), accurate near zero. */
export const log1p = unary({
  name: 'Log1p',
  doc: 'log(1 + x), accurate near zero.',
  traits: { monotone: 'increasing' },
  expr: E.log1p,
  grad: ({ dy, x }): Tensor => div(dy, add(x, 1)),
})
