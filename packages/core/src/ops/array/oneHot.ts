// Classes as vectors.
import { fixedSize } from '../../dtype.ts'
import { AttrError, DTypeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxis } from '../../shape.ts'
import { constant } from '../constant.ts'
import { equal } from '../math/equal.ts'
import { select } from '../math/select.ts'
import { expandDims } from './expandDims.ts'
import { iota } from './iota.ts'

/** Each index as a vector of `depth` elements along a new axis (default the last): `on` at the index, `off` elsewhere; all `off` when out of range. */
export const oneHot = defineOp({
  name: 'OneHot',
  doc: 'Each index as a vector along a new axis: on at the index, off elsewhere; all off when the index is out of range.',
  inputs: ['indices'],
  dtypes: [['int32', 'int64', 'uint8']],
  literals: { indices: 'int32' },
  attrs: {
    depth: attr.int('the length of the vectors'),
    on: attr.float('the value at the index', 1),
    off: attr.float('the value elsewhere', 0),
    axis: attr.int('where the new axis will be, negative counted from the end of the result', -1),
    dtype: attr.dtype('the dtype of the result', 'float32'),
  },
  infer: ([indices], { depth, axis, dtype }) => {
    if (depth < 0) throw new AttrError(`depth ${depth} is negative`)
    if (!fixedSize.includes(dtype)) throw new DTypeError(`cannot be ${dtype}`)
    return [
      { dtype, shape: indices.shape.toSpliced(normalizeAxis(axis, indices.shape.length + 1), 0, depth) },
    ]
  },
  grad: (): [null] => [null],
  body: {
    kind: 'composite',
    build: ([indices], { depth, on, off, axis, dtype }): Tensor => {
      const at = normalizeAxis(axis, indices.rank + 1)
      const shape = Array.from({ length: indices.rank + 1 }, (_, i) => (i === at ? depth : 1))
      const hot = equal(expandDims(indices, { axis: at }), iota({ shape, axis: at, dtype: indices.dtype }))
      return select(hot, constant(on, dtype), constant(off, dtype))
    },
  },
})
