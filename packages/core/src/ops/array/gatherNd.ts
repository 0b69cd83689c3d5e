// Slices of a tensor by index tuples.
import { fixedSize } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { defineOp } from '../../op.ts'
import { formatShape, sizeOf } from '../../shape.ts'
import { zerosLike } from './fill.ts'
import { tensorScatter } from './tensorScatter.ts'

/** The slices x[i0, …, i(depth-1)] that `indices` [...n, depth] name: [...n, ...rest of x]. Indices out of range answer zeros. */
export const gatherNd = defineOp({
  name: 'GatherNd',
  doc: 'The slices of x that indices [...n, depth] name: [...n, ...rest of x]; indices out of range answer zeros.',
  inputs: ['x', 'indices'],
  dtypes: [fixedSize, ['int32', 'int64']],
  literals: { indices: 'int32' },
  infer: ([x, indices]) => {
    const depth = indices.shape.at(-1)
    if (typeof depth !== 'number' || depth > x.shape.length)
      throw new ShapeError(
        `indices ${formatShape(indices.shape)} must end in a known depth of at most ${x.shape.length}, the rank of x`,
      )
    return [{ dtype: x.dtype, shape: [...indices.shape.slice(0, -1), ...x.shape.slice(depth)] }]
  },
  grad: ({ dy, inputs: [x, indices] }): [Tensor, null] => [
    tensorScatter(zerosLike(x), indices, dy, { update: 'add' }),
    null,
  ],
  body: { kind: 'kernel', reads: ([, indices], [y]) => [sizeOf(y!.shape), sizeOf(indices!.shape)] },
})
