// The square of a difference.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { sub } from './sub.ts'

/** (a - b)², element by element, with broadcasting. */
export const squaredDifference = binary({
  name: 'SquaredDifference',
  doc: '(a - b)², element by element, with broadcasting.',
  traits: { commutative: true },
  expr: (a, b) => E.mul(E.sub(a, b), E.sub(a, b)),
  grad: ({ dy, a, b }): [Tensor, Tensor] => {
    const da = mul(dy, mul(sub(a, b), 2))
    return [da, neg(da)]
  },
})
