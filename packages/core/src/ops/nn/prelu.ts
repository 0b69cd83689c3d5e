// A rectifier whose slope below zero is learnt.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { defineOp } from '../../op.ts'
import { elementwiseType } from '../elementwise.ts'
import { greater } from '../math/greater.ts'
import { mul } from '../math/mul.ts'
import { select } from '../math/select.ts'

/** x above 0, alpha · x elsewhere; alpha broadcasts with x, usually one for each channel. */
export const prelu = defineOp({
  name: 'Prelu',
  doc: 'x above 0, alpha · x elsewhere; alpha broadcasts with x.',
  inputs: ['x', 'alpha'],
  dtypes: [floats, floats],
  infer: (inputs) => [elementwiseType(inputs)],
  body: { kind: 'composite', build: ([x, alpha]): Tensor => select(greater(x, 0), x, mul(alpha, x)) },
})
