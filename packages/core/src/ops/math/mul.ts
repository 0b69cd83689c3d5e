// Multiplication.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'

/** a · b, element by element, with broadcasting. */
export const mul = binary({
  name: 'Mul',
  doc: 'a · b, element by element, with broadcasting.',
  traits: { commutative: true, associative: true },
  expr: E.mul,
  grad: ({ dy, a, b }): [Tensor, Tensor] => [mul(dy, b), mul(dy, a)],
})
