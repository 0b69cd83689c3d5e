// The logarithm of the gamma function.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { digamma } from './digamma.ts'
import { mul } from './mul.ts'

/** log |Γ(x)|; Infinity at 0, -1, -2, … */
export const lgamma = unary({
  name: 'Lgamma',
  doc: 'log |Γ(x)|; Infinity at 0, -1, -2, …',
  expr: E.lgamma,
  grad: ({ dy, x }): Tensor => mul(dy, digamma(x)),
})
