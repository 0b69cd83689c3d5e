// The greater of two.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { greaterEqual } from './greaterEqual.ts'
import { select } from './select.ts'

/** The greater of a and b, element by element, with broadcasting; NaN if either is. */
export const maximum = binary({
  name: 'Maximum',
  doc: 'The greater of a and b, element by element, with broadcasting; NaN if either is.',
  traits: { commutative: true, associative: true },
  expr: E.max,
  grad: ({ dy, a, b }): [Tensor, Tensor] => {
    const first = greaterEqual(a, b)
    return [select(first, dy, 0), select(first, 0, dy)]
  },
})
