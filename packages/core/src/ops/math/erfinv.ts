// The inverse of the error function.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { exp } from './exp.ts'
import { mul } from './mul.ts'
import { square } from './square.ts'

/** The number whose erf is x; NaN outside [-1, 1]. */
export const erfinv = unary({
  name: 'Erfinv',
  doc: 'The number whose erf is x; NaN outside [-1, 1].',
  traits: { monotone: 'increasing' },
  expr: E.erfinv,
  grad: ({ dy, y }): Tensor => mul(dy, mul(exp(square(y)), Math.sqrt(Math.PI) / 2)),
})
