// The tangent.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { add } from './add.ts'
import { mul } from './mul.ts'
import { square } from './square.ts'

/** The tangent of x, in radians. */
export const tan = unary({
  name: 'Tan',
  doc: 'The tangent of x, in radians.',
  expr: E.tan,
  grad: ({ dy, y }): Tensor => mul(dy, add(square(y), 1)),
})
