// The remainder of a division rounded towards zero.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { truncDiv } from './truncDiv.ts'

/** The remainder of a / b, which has the sign of a, element by element, with broadcasting; integers modulo 0 answer 0. */
export const truncMod = binary({
  name: 'TruncMod',
  doc: 'The remainder of a / b, which has the sign of a, element by element, with broadcasting; integers modulo 0 answer 0.',
  expr: E.rem,
  grad: ({ dy, a, b }): [Tensor, Tensor] => [dy, neg(mul(dy, truncDiv(a, b)))],
})
