// Elements by an index of their own along one axis: what sorting needs forwards, and its gradient backwards.
import { fixedSize } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { Shape } from '../../shape.ts'
import { compatible, formatShape, normalizeAxis } from '../../shape.ts'
import { expandDims } from './expandDims.ts'
import { concat } from './concat.ts'
import { zerosLike } from './fill.ts'
import { gatherNd } from './gatherNd.ts'
import { iota } from './iota.ts'
import { tensorScatter } from './tensorScatter.ts'

const indexTypes = ['int32', 'int64'] as const
const axisAttr = attr.int('the axis of the indices, negative counted from the end', -1)
const putAttributes = {
  axis: axisAttr,
  update: attr.oneOf('what happens to the old elements', ['set', 'add']),
}

/** result[…, i, …] = x[…, indices[…, i, …], …] along `axis`; all other sizes are equal. Indices out of range answer zeros. */
export const takeAlongAxis = defineOp({
  name: 'TakeAlongAxis',
  doc: 'For each index along an axis the element of x there; all other sizes are equal. Indices out of range answer zeros.',
  inputs: ['x', 'indices'],
  dtypes: [fixedSize, indexTypes],
  literals: { indices: 'int32' },
  attrs: { axis: axisAttr },
  infer: ([x, indices], { axis }) => {
    checkAligned(x.shape, indices.shape, axis)
    return [{ dtype: x.dtype, shape: indices.shape }]
  },
  grad: ({ dy, inputs: [x, indices], attrs: { axis } }): [Tensor, null] => [
    putAlongAxis(zerosLike(x), indices, dy, { axis, update: 'add' }),
    null,
  ],
  body: {
    kind: 'composite',
    build: ([x, indices], { axis }): Tensor => gatherNd(x, tuples(indices, normalizeAxis(axis, x.rank))),
  },
})

/** x with x[…, indices[…, i, …], …] along `axis` set to, or increased by, updates[…, i, …]. Indices out of range are passed over. */
export const putAlongAxis = defineOp({
  name: 'PutAlongAxis',
  doc: 'x with the element that each index along an axis names set or increased. Indices out of range are passed over.',
  inputs: ['x', 'indices', 'updates'],
  dtypes: [fixedSize, indexTypes, fixedSize],
  literals: { indices: 'int32' },
  attrs: putAttributes,
  infer: ([x, indices, updates], { axis }) => {
    checkAligned(x.shape, indices.shape, axis)
    if (updates.shape.length !== x.shape.length)
      throw new ShapeError(`updates ${formatShape(updates.shape)} need the shape of the indices`)
    return [x]
  },
  grad: ({
    dy,
    inputs: [, indices, updates],
    attrs: { axis, update },
  }: GradContext<readonly ['x', 'indices', 'updates'], typeof putAttributes>): [Tensor, null, Tensor] => [
    update === 'add' ? dy : putAlongAxis(dy, indices, zerosLike(updates), { axis, update }),
    null,
    takeAlongAxis(dy, indices, { axis }),
  ],
  body: {
    kind: 'composite',
    build: ([x, indices, updates], { axis, update }): Tensor =>
      tensorScatter(x, tuples(indices, normalizeAxis(axis, x.rank)), updates, { update }),
  },
})

/** The whole index of every element: counters for all axes but one. */
function tuples(indices: Tensor, axis: number): Tensor {
  const parts = indices.shape.map((_, i) =>
    i === axis ? indices : iota({ shape: indices.shape, axis: i, dtype: indices.dtype }),
  )
  return concat(
    parts.map((part) => expandDims(part, { axis: -1 })),
    { axis: -1 },
  )
}

function checkAligned(x: Shape, indices: Shape, axis: number): void {
  const at = normalizeAxis(axis, x.length)
  if (indices.length !== x.length || indices.some((d, i) => i !== at && !compatible(d, x[i]!)))
    throw new ShapeError(
      `indices ${formatShape(indices)} must have the shape ${formatShape(x)} except along axis ${at}`,
    )
}
