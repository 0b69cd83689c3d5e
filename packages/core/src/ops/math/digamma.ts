// The derivative of the logarithm of the gamma function.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { polygamma } from './polygamma.ts'

/** The derivative of log Γ; NaN at 0, -1, -2, … */
export const digamma = unary({
  name: 'Digamma',
  doc: 'The derivative of log Γ; NaN at 0, -1, -2, …',
  expr: E.digamma,
  grad: ({ dy, x }): Tensor => mul(dy, polygamma(x, { order: 1 })),
})
