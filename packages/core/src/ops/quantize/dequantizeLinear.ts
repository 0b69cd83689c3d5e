// Integers back as numbers: the way out of quantised arithmetic.
import { floats } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import { defineOp } from '../../op.ts'
import { compatible, formatShape } from '../../shape.ts'
import { add } from '../math/add.ts'
import { cast } from '../math/cast.ts'
import { mul } from '../math/mul.ts'

/**
 * (q + offset) · scale: q int8 or int32 [..., n], offset int32 [n] and scale [n], one of each for every last index, or one for all ([1]).
 * The sum is that of integers, so that the answer is rounded twice on every machine alike: when it becomes a float and when it is multiplied.
 * A bias is quantised into `offset`; less the zero point of q, it undoes that too. There is no gradient.
 * @throws ShapeError when offset or scale do not fit q.
 */
export const dequantizeLinear = defineOp({
  name: 'DequantizeLinear',
  doc: 'Integers as floats: (q + offset) · scale, with an offset and a scale for each last index.',
  inputs: ['q', 'offset', 'scale'],
  dtypes: [['int8', 'int32'], ['int32'], floats],
  literals: { offset: 'int32', scale: 'float32' },
  infer: ([q, offset, scale]) => {
    for (const { shape } of [offset, scale])
      if (shape.length !== 1 || (shape[0] !== 1 && !compatible(q.shape.at(-1) ?? 1, shape[0]!)))
        throw new ShapeError(
          `offset ${formatShape(offset.shape)} and scale ${formatShape(scale.shape)} must be vectors as long as the last axis of q ${formatShape(q.shape)}, or of one element`,
        )
    return [{ dtype: scale.dtype, shape: q.shape }]
  },
  body: {
    kind: 'composite',
    build: ([q, offset, scale]) =>
      mul(cast(add(cast(q, { to: 'int32' }), offset), { to: scale.dtype }), scale),
  },
})
