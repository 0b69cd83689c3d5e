// Gaussian error linear units.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import { add } from '../math/add.ts'
import { erfc } from '../math/erfc.ts'
import { mul } from '../math/mul.ts'
import { square } from '../math/square.ts'
import { tanh } from '../math/tanh.ts'

/** x times the probability that a standard normal number lies below it. Hendrycks and Gimpel, 2016. */
export const gelu = defineOp({
  name: 'Gelu',
  doc: 'x times the probability that a standard normal number lies below it.',
  inputs: ['x'],
  dtypes: [floats],
  attrs: {
    approximate: attr.bool(
      'by a hyperbolic tangent, as many trained models expect, instead of exactly',
      false,
    ),
  },
  infer: ([x]) => [x],
  body: {
    kind: 'composite',
    build: ([x], { approximate }): Tensor => mul(mul(x, 0.5), approximate ? nearly(x) : exactly(x)),
  },
})

// erfc(-z) is 1 + erf(z) without cancellation far below zero.
const exactly = (x: Tensor): Tensor => erfc(mul(x, -Math.SQRT1_2))
const nearly = (x: Tensor): Tensor =>
  add(tanh(mul(mul(x, add(mul(square(x), 0.044715), 1)), Math.sqrt(2 / Math.PI))), 1)
