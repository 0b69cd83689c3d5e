// Exponential linear units.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { attr, defineOp } from '../../op.ts'
import { add } from '../math/add.ts'
import { greater } from '../math/greater.ts'
import { mul } from '../math/mul.ts'
import { select } from '../math/select.ts'
import { activation } from './activation.ts'

/** x above 0, alpha · (e^x - 1) elsewhere. */
export const elu = defineOp({
  name: 'Elu',
  doc: 'x above 0, alpha · (e^x - 1) elsewhere.',
  inputs: ['x'],
  dtypes: [floats],
  attrs: { alpha: attr.float('minus the limit far below 0', 1) },
  infer: ([x]) => [x],
  grad: ({ dy, inputs: [x], outputs: [y], attrs: { alpha } }): [Tensor] => [
    select(greater(x, 0), dy, mul(dy, add(y!, alpha))),
  ],
  body: {
    kind: 'scalar',
    expr: ([x], { alpha }) =>
      E.select(E.lt(E.num(0, x.dtype), x), x, E.mul(E.expm1(x), E.num(alpha, x.dtype))),
  },
})

/** The elu whose scale and alpha keep mean 0 and variance 1 from layer to layer. Klambauer et al., Self-Normalizing Neural Networks, 2017. */
export const selu = activation({
  name: 'Selu',
  doc: 'The elu whose scale and alpha keep mean 0 and variance 1 from layer to layer.',
  build: (x) => mul(elu(x, { alpha: 1.6732632423543772 }), 1.0507009873554805),
})
