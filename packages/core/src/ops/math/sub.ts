// Subtraction.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { neg } from './neg.ts'

/** a - b, element by element, with broadcasting. */
export const sub = binary({
  name: 'Sub',
  doc: 'a - b, element by element, with broadcasting.',
  expr: E.sub,
  grad: ({ dy }): [Tensor, Tensor] => [dy, neg(dy)],
})
