// Probabilities from scores, and their logarithms.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxis } from '../../shape.ts'
import { div } from '../math/div.ts'
import { exp } from '../math/exp.ts'
import { mul } from '../math/mul.ts'
import { sub } from '../math/sub.ts'
import { logSumExp } from '../reduce/logSumExp.ts'
import { max } from '../reduce/max.ts'
import { sum } from '../reduce/sum.ts'

const attrs = {
  axis: attr.int('the axis over which the probabilities add up to 1, negative counted from the end', -1),
}

/** e^x / Σ e^x along an axis, without overflow. */
export const softmax = defineOp({
  name: 'Softmax',
  doc: 'e^x / Σ e^x along an axis, without overflow.',
  inputs: ['x'],
  dtypes: [floats],
  attrs,
  infer: ([x], { axis }) => {
    normalizeAxis(axis, x.shape.length)
    return [x]
  },
  grad: ({ dy, outputs, attrs: { axis } }): [Tensor] => {
    const y = outputs[0]!
    const weighted = mul(dy, y)
    return [sub(weighted, mul(y, sum(weighted, { axes: [axis], keepDims: true })))]
  },
  body: {
    kind: 'composite',
    build: ([x], { axis }): Tensor => {
      const powers = exp(sub(x, max(x, { axes: [axis], keepDims: true })))
      return div(powers, sum(powers, { axes: [axis], keepDims: true }))
    },
  },
})

/** The logarithm of `softmax`, accurate where that is nearly 0. */
export const logSoftmax = defineOp({
  name: 'LogSoftmax',
  doc: 'The logarithm of softmax, accurate where that is nearly 0.',
  inputs: ['x'],
  dtypes: [floats],
  attrs,
  infer: ([x], { axis }) => {
    normalizeAxis(axis, x.shape.length)
    return [x]
  },
  grad: ({ dy, outputs, attrs: { axis } }): [Tensor] => [
    sub(dy, mul(exp(outputs[0]!), sum(dy, { axes: [axis], keepDims: true }))),
  ],
  body: {
    kind: 'composite',
    build: ([x], { axis }): Tensor => sub(x, logSumExp(x, { axes: [axis], keepDims: true })),
  },
})
