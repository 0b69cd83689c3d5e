// The angle of a point.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { add } from './add.ts'
import { div } from './div.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'
import { square } from './square.ts'

/** The angle of the point (b, a) in [-π, π], element by element, with broadcasting. */
export const atan2 = binary({
  name: 'Atan2',
  doc: 'The angle of the point (b, a) in [-π, π], element by element, with broadcasting.',
  dtypes: floats,
  expr: E.atan2,
  grad: ({ dy, a, b }): [Tensor, Tensor] => {
    const share = div(dy, add(square(a), square(b)))
    return [mul(share, b), neg(mul(share, a))]
  },
})
