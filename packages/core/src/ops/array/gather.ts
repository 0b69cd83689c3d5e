// Rows by index.
import { fixedSize } from '../../dtype.ts'
import { AttrError, ShapeError } from '../../errors.ts'
import { IndexedSlices } from '../../autodiff/indexedSlices.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Gradient, GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { Dim, Shape, Size } from '../../shape.ts'
import { compatible, formatShape, mergeDim, normalizeAxis, sizeOf } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { concat } from './concat.ts'
import { expandDims } from './expandDims.ts'
import { fill } from './fill.ts'
import { iota } from './iota.ts'
import { reshape } from './reshape.ts'
import { tensorScatter } from './tensorScatter.ts'
import { transpose } from './transpose.ts'

const attributes = {
  axis: attr.int('the axis to pick from, not negative'),
  batchDims: attr.int('how many leading axes x and the indices share', 0),
}
const indexTypes = ['int32', 'int64'] as const

const gatherOp = defineOp({
  name: 'Gather',
  doc: 'The elements that indices name along an axis of x, whose place the axes of the indices take; indices out of range answer zeros.',
  inputs: ['x', 'indices'],
  dtypes: [fixedSize, indexTypes],
  literals: { indices: 'int32' },
  attrs: attributes,
  infer: ([x, indices], attrs) => [{ dtype: x.dtype, shape: gatheredShape(x.shape, indices.shape, attrs) }],
  grad: ({
    dy,
    inputs: [x, indices],
    attrs,
  }: GradContext<readonly ['x', 'indices'], typeof attributes>): [Gradient, null] => {
    if (attrs.axis > 0) return [gatherBack(dy, indices, x, attrs), null]
    const rows = indices.rank === 1 ? dy : reshape(dy, { shape: [-1, ...x.shape.slice(1)] })
    return [new IndexedSlices(rows, reshape(indices, { shape: [-1] }), x), null]
  },
  body: { kind: 'kernel', reads: ([, indices], [y]) => [sizeOf(y!.shape), sizeOf(indices!.shape)] },
})

/**
 * The elements that `indices` name along an axis of x: x[…, indices, …]; the axes of the indices take the place of that axis.
 * Indices out of range answer zeros. The gradient for axis 0 is IndexedSlices.
 * @param options.axis default: the first axis after the batches.
 * @param options.batchDims how many leading axes x and indices share; default 0.
 */
export const gather = Object.assign(
  (
    x: TensorLike,
    indices: TensorLike,
    options: { readonly axis?: number; readonly batchDims?: number; readonly name?: string } = {},
  ): Tensor => {
    const table = toTensor(x)
    const batchDims = options.batchDims ?? 0
    return gatherOp(table, indices, {
      axis: normalizeAxis(options.axis ?? batchDims, table.rank),
      batchDims,
      name: options.name,
    })
  },
  { def: gatherOp.def },
)

/** What flows back through `gather`: x (of the gathered shape) added up in the shape of `like`, whose values are not used. */
export const gatherBack = defineOp({
  name: 'GatherBack',
  doc: 'What flows back through Gather: slices added up in the shape of another tensor, whose values are not used.',
  inputs: ['x', 'indices', 'like'],
  dtypes: [fixedSize, indexTypes, fixedSize],
  attrs: attributes,
  traits: { shapeOnly: (i) => i === 2 },
  infer: ([x, , like]) => [{ dtype: x.dtype, shape: like.shape }],
  grad: ({
    dy,
    inputs: [, indices],
    attrs,
  }: GradContext<readonly ['x', 'indices', 'like'], typeof attributes>): [Tensor, null, null] => [
    gatherOp(dy, indices, attrs),
    null,
    null,
  ],
  body: {
    kind: 'composite',
    // As [batches, before, picks, width]: each pick of each batch is added to a row [before, width].
    build: ([x, indices, like], { axis, batchDims }): Tensor => {
      const shape = like.shape as Size
      const batches = sizeOf(shape.slice(0, batchDims))
      const before = sizeOf(shape.slice(batchDims, axis))
      const [size, width] = [shape[axis]!, sizeOf(shape.slice(axis + 1))]
      const picks = sizeOf((indices.shape as Size).slice(batchDims))
      const updates = transpose(reshape(x, { shape: [batches, before, picks, width] }), {
        order: [0, 2, 1, 3],
      })
      const flat = reshape(indices, { shape: [batches, picks] })
      const batch = iota({ shape: [batches, picks], axis: 0, dtype: indices.dtype })
      const tuples = concat(
        [batch, flat].map((part) => expandDims(part, { axis: -1 })),
        { axis: -1 },
      )
      const sums = tensorScatter(
        fill({ shape: [batches, size, before, width], dtype: x.dtype }),
        tuples,
        updates,
        { update: 'add' },
      )
      return reshape(transpose(sums, { order: [0, 2, 1, 3] }), { shape })
    },
  },
})

function gatheredShape(
  x: Shape,
  indices: Shape,
  { axis, batchDims }: { axis: number; batchDims: number },
): Shape {
  if (axis < 0 || axis >= x.length) throw new ShapeError(`axis ${axis} is out of range for ${formatShape(x)}`)
  if (batchDims < 0 || batchDims > Math.min(axis, indices.length))
    throw new AttrError(
      `batchDims ${batchDims} must be 0 to ${Math.min(axis, indices.length)}: not above the axis nor the rank of the indices`,
    )
  const batches = x.slice(0, batchDims).map((d, i): Dim => {
    if (!compatible(d, indices[i]!))
      throw new ShapeError(`batch sizes of ${formatShape(x)} and ${formatShape(indices)} differ at axis ${i}`)
    return mergeDim(d, indices[i]!)
  })
  return [...batches, ...x.slice(batchDims, axis), ...indices.slice(batchDims), ...x.slice(axis + 1)]
}
