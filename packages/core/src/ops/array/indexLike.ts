// Counting along an axis of a tensor whose sizes may not be known yet.
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxis } from '../../shape.ts'
import { iota } from './iota.ts'

/** In the shape of x, whose values are not used, each element is its own index along an axis. */
export const indexLike = defineOp({
  name: 'IndexLike',
  doc: 'In the shape of x, whose values are not used, each element is its own index along an axis.',
  inputs: ['x'],
  attrs: {
    axis: attr.int('the axis to count along, negative counted from the end', -1),
    dtype: attr.oneOf('the dtype of the result', ['int32', 'int64']),
  },
  traits: { shapeOnly: (i) => i === 0 },
  infer: ([x], { axis, dtype }) => {
    normalizeAxis(axis, x.shape.length)
    return [{ dtype, shape: x.shape }]
  },
  grad: (): [null] => [null],
  body: { kind: 'composite', build: ([x], { axis, dtype }): Tensor => iota({ shape: x.shape, axis, dtype }) },
})
