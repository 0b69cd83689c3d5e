// Axes in another order.
import { AttrError } from '../../errors.ts'
import { fixedSize } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxis } from '../../shape.ts'

/**
 * x with its axes in another order: axis i of the result is axis `order[i]` of x; reversed when left out.
 * @throws AttrError when `order` does not name every axis once.
 */
export const transpose = defineOp({
  name: 'Transpose',
  doc: 'x with its axes in another order: axis i of the result is axis order[i] of x; reversed when left out.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: { order: attr.ints('which axis of x comes where; all reversed when left out', undefined) },
  infer: ([x], { order }) => [
    { dtype: x.dtype, shape: permutation(order, x.shape.length).map((axis) => x.shape[axis]!) },
  ],
  grad: ({ dy, inputs: [x], attrs: { order } }): [Tensor] => [
    transpose(dy, { order: inverse(permutation(order, x.rank)) }),
  ],
  body: {
    kind: 'view',
    map: (at, input, { order }) => ({
      index: inverse(permutation(order, input.shape.length)).map((axis) => at[axis]!),
    }),
  },
})

const inverse = (order: readonly number[]): number[] => order.map((_, axis) => order.indexOf(axis))

function permutation(order: readonly number[] | undefined, rank: number): number[] {
  if (!order) return Array.from({ length: rank }, (_, i) => rank - 1 - i)
  const axes = order.map((axis) => normalizeAxis(axis, rank))
  if (axes.length !== rank || new Set(axes).size !== rank)
    throw new AttrError(`order [${order}] must name each of ${rank} axes once`)
  return axes
}
