// The greatest or least elements, and order.
import { numerics } from '../../dtype.ts'
import { AttrError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import { formatShape } from '../../shape.ts'
import { putAlongAxis } from './alongAxis.ts'
import { zerosLike } from './fill.ts'

const attributes = {
  k: attr.int('how many'),
  largest: attr.bool('the greatest, in descending order; otherwise the least, in ascending order', true),
  dtype: attr.oneOf('the dtype of the indices', ['int32', 'int64']),
}

/**
 * The k greatest (or least) elements along the last axis, in order, and their indices. Equal elements keep their order; NaN is the greatest.
 * @throws ShapeError when there are fewer than k.
 */
export const topK = defineOp({
  name: 'TopK',
  doc: 'The k greatest (or least) elements along the last axis, in order, and their indices; NaN is the greatest.',
  inputs: ['x'],
  dtypes: [numerics],
  outputs: ['values', 'indices'],
  attrs: attributes,
  infer: ([x], { k, dtype }) => {
    const size = x.shape.at(-1)
    if (k < 0) throw new AttrError(`k ${k} is negative`)
    if (size === undefined || (typeof size === 'number' && size < k))
      throw new ShapeError(`the last axis of ${formatShape(x.shape)} does not have ${k} elements`)
    const shape = [...x.shape.slice(0, -1), k]
    return [
      { dtype: x.dtype, shape },
      { dtype, shape },
    ]
  },
  grad: ({ dy, inputs: [x], outputs }: GradContext<readonly ['x'], typeof attributes>): [Tensor] => [
    putAlongAxis(zerosLike(x), outputs[1]!, dy, { axis: -1, update: 'add' }),
  ],
  body: { kind: 'kernel' },
})
