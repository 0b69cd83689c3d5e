// Sorting along an axis.
import { numerics } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxis } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { putAlongAxis } from './alongAxis.ts'
import { zerosLike } from './fill.ts'
import { topK } from './topK.ts'
import { transpose } from './transpose.ts'

const attributes = {
  axis: attr.int('the axis to sort along, negative counted from the end', -1),
  descending: attr.bool('greatest first', false),
  dtype: attr.oneOf('the dtype of the indices', ['int32', 'int64']),
}

/** x in order along an axis, and where each element came from. Equal elements keep their order; NaN is the greatest. */
export const sortWithIndices = defineOp({
  name: 'Sort',
  doc: 'x in order along an axis, and where each element came from; equal elements keep their order, NaN is the greatest.',
  inputs: ['x'],
  dtypes: [numerics],
  outputs: ['values', 'indices'],
  attrs: attributes,
  infer: ([x], { axis, dtype }) => {
    normalizeAxis(axis, x.shape.length)
    return [x, { dtype, shape: x.shape }]
  },
  grad: ({
    dy,
    inputs: [x],
    outputs,
    attrs: { axis },
  }: GradContext<readonly ['x'], typeof attributes>): [Tensor] => [
    putAlongAxis(zerosLike(x), outputs[1]!, dy, { axis, update: 'add' }),
  ],
  body: {
    kind: 'composite',
    build: ([x], { axis, descending, dtype }): Tensor[] => {
      const at = normalizeAxis(axis, x.rank)
      const last = x.rank - 1
      // Swapping two axes twice changes nothing.
      const order = x.shape.map((_, i) => (i === at ? last : i === last ? at : i))
      const [values, indices] = topK(transpose(x, { order }), {
        k: x.shape[at] as number,
        largest: descending,
        dtype,
      })
      return [transpose(values, { order }), transpose(indices, { order })]
    },
  },
})

interface Options {
  /** Negative counted from the end; default the last. */
  readonly axis?: number
  /** Greatest first? Default false. */
  readonly descending?: boolean
}
/** x in order along an axis; NaN is the greatest. */
export const sort = (x: TensorLike, options: Options = {}): Tensor => sortWithIndices(x, options)[0]
/** The indices that put x in order along an axis; equal elements keep their order. */
export const argSort = (
  x: TensorLike,
  options: Options & { readonly dtype?: 'int32' | 'int64' } = {},
): Tensor => sortWithIndices(x, options)[1]
