// The inverse tangent.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { add } from './add.ts'
import { div } from './div.ts'
import { square } from './square.ts'

/** The angle in [-π/2, π/2] whose tangent is x. */
export const atan = unary({
  name: 'Atan',
  doc: 'The angle in [-π/2, π/2] whose tangent is x.',
  traits: { monotone: 'increasing' },
  expr: E.atan,
  grad: ({ dy, x }): Tensor => div(dy, add(square(x), 1)),
})
