// Where values belong in an ordered list.
import { numerics } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import { formatShape, mergeShapes } from '../../shape.ts'
import { sameDType } from '../elementwise.ts'
import { cast } from '../math/cast.ts'
import { less } from '../math/less.ts'
import { lessEqual } from '../math/lessEqual.ts'
import { sum } from '../reduce/sum.ts'
import { expandDims } from './expandDims.ts'

/**
 * For each of `values` [..., m] how many elements of `sorted` [..., n] (ascending along the last axis) come before it:
 * the place to insert it, before its equals (`left`) or after them (`right`). Compares with all n.
 */
export const searchSorted = defineOp({
  name: 'SearchSorted',
  doc: 'For each value how many elements of an ascending list come before it, not counting its equals (left) or counting them (right).',
  inputs: ['sorted', 'values'],
  dtypes: [numerics, numerics],
  attrs: {
    side: attr.oneOf('before or after equal elements', ['left', 'right']),
    dtype: attr.oneOf('the dtype of the result', ['int32', 'int64']),
  },
  infer: ([sorted, values], { dtype }) => {
    sameDType([sorted, values])
    if (sorted.shape.length === 0 || values.shape.length === 0)
      throw new ShapeError(
        `needs lists, got ${formatShape(sorted.shape)} and ${formatShape(values.shape)}: reshape a single value to [1]`,
      )
    // One list serves all rows.
    if (sorted.shape.length > 1)
      mergeShapes(sorted.shape.slice(0, -1), values.shape.slice(0, -1), 'leading sizes differ')
    return [{ dtype, shape: values.shape }]
  },
  grad: (): [null, null] => [null, null],
  body: {
    kind: 'composite',
    build: ([sorted, values], { side, dtype }): Tensor => {
      const before = (side === 'left' ? less : lessEqual)(
        expandDims(sorted, { axis: -2 }),
        expandDims(values, { axis: -1 }),
      )
      return sum(cast(before, { to: dtype }), { axes: [-1] })
    },
  },
})
