// Division.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { binary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { neg } from './neg.ts'

/** a / b, element by element, with broadcasting; floats only: see `floorDiv` for integers. */
export const div = binary({
  name: 'Div',
  doc: 'a / b, element by element, with broadcasting; floats only.',
  dtypes: floats,
  expr: E.div,
  grad: ({ dy, b, y }): [Tensor, Tensor] => [div(dy, b), neg(div(mul(dy, y), b))],
})
