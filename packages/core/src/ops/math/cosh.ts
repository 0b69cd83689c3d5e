// The hyperbolic cosine.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { sinh } from './sinh.ts'

/** The hyperbolic cosine of x. */
export const cosh = unary({
  name: 'Cosh',
  doc: 'The hyperbolic cosine of x.',
  expr: E.cosh,
  grad: ({ dy, x }): Tensor => mul(dy, sinh(x)),
})
