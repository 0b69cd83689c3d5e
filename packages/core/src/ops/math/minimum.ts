// The lesser of two.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { lessEqual } from './lessEqual.ts'
import { select } from './select.ts'

/** The lesser of a and b, element by element, with broadcasting; NaN if either is. */
export const minimum = binary({
  name: 'Minimum',
  doc: 'The lesser of a and b, element by element, with broadcasting; NaN if either is.',
  traits: { commutative: true, associative: true },
  expr: E.min,
  grad: ({ dy, a, b }): [Tensor, Tensor] => {
    const first = lessEqual(a, b)
    return [select(first, dy, 0), select(first, 0, dy)]
  },
})
