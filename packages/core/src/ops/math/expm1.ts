// The exponential function less one.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { add } from './add.ts'
import { mul } from './mul.ts'

/** e^x - 1, accurate near zero. */
export const expm1 = unary({
  name: 'Expm1',
  doc: 'e^x - 1, accurate near zero.',
  traits: { monotone: 'increasing' },
  expr: E.expm1,
  grad: ({ dy, y }): Tensor => mul(dy, add(y, 1)),
})
