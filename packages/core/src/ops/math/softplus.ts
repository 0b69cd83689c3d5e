// A smooth relu.
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { unary } from '../elementwise.ts'
import { mul } from './mul.ts'
import { sigmoid } from './sigmoid.ts'

/** log(1 + e^x), without overflow. */
export const softplus = unary({
  name: 'Softplus',
  doc: 'log(1 + e^x), without overflow.',
  traits: { monotone: 'increasing' },
  expr: (x) => E.add(E.max(x, E.num(0, x.dtype)), E.log1p(E.exp(E.neg(E.abs(x))))),
  grad: ({ dy, x }): Tensor => mul(dy, sigmoid(x)),
})
