// The hyperbolic sine.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { cosh } from './cosh.ts'
import { mul } from './mul.ts'

/** The hyperbolic sine of x. */
export const sinh = unary({
  name: 'Sinh',
  doc: 'The hyperbolic sine of x.',
  traits: { monotone: 'increasing' },
  expr: E.sinh,
  grad: ({ dy, x }): Tensor => mul(dy, cosh(x)),
})
