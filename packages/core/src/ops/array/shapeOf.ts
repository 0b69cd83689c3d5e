// Sizes as tensors: constants as soon as the sizes are known.
import type { DType } from '../../dtype.ts'
import { numerics } from '../../dtype.ts'
import { DTypeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { ndarray } from '../../ndarray.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxes } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { constant, toTensor } from '../constant.ts'
import { fill } from './fill.ts'

const numeric = (dtype: DType): DType => {
  if (!numerics.includes(dtype)) throw new DTypeError(`a size cannot be ${dtype}: use int32`)
  return dtype
}

/** The sizes of x, [rank]. */
export const shapeOf = defineOp({
  name: 'ShapeOf',
  doc: 'The sizes of x, [rank].',
  inputs: ['x'],
  attrs: { dtype: attr.dtype('the dtype of the result', 'int32') },
  traits: { shapeOnly: (i) => i === 0 },
  infer: ([x], { dtype }) => [{ dtype: numeric(dtype), shape: [x.shape.length] }],
  grad: (): [null] => [null],
  body: {
    kind: 'composite',
    build: ([x], { dtype }): Tensor =>
      constant(ndarray(x.shape as readonly number[], 'float64', [x.rank]), dtype),
  },
})

/** The number of elements of x along axes, all of them by default: a scalar. */
export const size = defineOp({
  name: 'Size',
  doc: 'The number of elements of x along axes, all of them by default: a scalar.',
  inputs: ['x'],
  attrs: {
    axes: attr.ints(
      'the axes to multiply the sizes of, negative ones counted from the end; all when left out',
      undefined,
    ),
    dtype: attr.dtype('the dtype of the result', 'int32'),
  },
  traits: { shapeOnly: (i) => i === 0 },
  infer: ([x], { axes, dtype }) => {
    normalizeAxes(axes, x.shape.length)
    return [{ dtype: numeric(dtype), shape: [] }]
  },
  grad: (): [null] => [null],
  body: {
    kind: 'composite',
    build: ([x], { axes, dtype }): Tensor =>
      fill({
        shape: [],
        dtype,
        value: normalizeAxes(axes, x.rank).reduce((product, axis) => product * (x.shape[axis] as number), 1),
      }),
  },
})

/** The number of axes of x: an int32 constant. */
export const rank = (x: TensorLike): Tensor => constant(toTensor(x).rank, 'int32')
