// The inverse hyperbolic sine.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { add } from './add.ts'
import { mul } from './mul.ts'
import { rsqrt } from './rsqrt.ts'
import { square } from './square.ts'

/** The number whose hyperbolic sine is x. */
export const asinh = unary({
  name: 'Asinh',
  doc: 'The number whose hyperbolic sine is x.',
  traits: { monotone: 'increasing' },
  expr: E.asinh,
  grad: ({ dy, x }): Tensor => mul(dy, rsqrt(add(square(x), 1))),
})
