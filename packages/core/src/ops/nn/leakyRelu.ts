// A rectifier that lets a little through below zero.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { attr, defineOp } from '../../op.ts'
import { greater } from '../math/greater.ts'
import { mul } from '../math/mul.ts'
import { select } from '../math/select.ts'

/** x above 0, alpha · x elsewhere. */
export const leakyRelu = defineOp({
  name: 'LeakyRelu',
  doc: 'x above 0, alpha · x elsewhere.',
  inputs: ['x'],
  dtypes: [floats],
  attrs: { alpha: attr.float('the slope below 0', 0.2) },
  infer: ([x]) => [x],
  grad: ({ dy, inputs: [x], attrs: { alpha } }): [Tensor] => [select(greater(x, 0), dy, mul(dy, alpha))],
  body: {
    kind: 'scalar',
    expr: ([x], { alpha }) => E.select(E.lt(E.num(0, x.dtype), x), x, E.mul(x, E.num(alpha, x.dtype))),
  },
})
