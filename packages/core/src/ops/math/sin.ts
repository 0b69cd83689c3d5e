// The sine.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { cos } from './cos.ts'
import { mul } from './mul.ts'

/** The sine of x, in radians. */
export const sin = unary({
  name: 'Sin',
  doc: 'The sine of x, in radians.',
  expr: E.sin,
  grad: ({ dy, x }): Tensor => mul(dy, cos(x)),
})
