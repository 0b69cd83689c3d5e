// Where values belong in an ordered list.
import { numerics } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import type { Size } from '../../shape.ts'
import { formatShape, mergeShapes } from '../../shape.ts'
import { sameDType } from '../elementwise.ts'
import { add } from '../math/add.ts'
import { cast } from '../math/cast.ts'
import { less } from '../math/less.ts'
import { lessEqual } from '../math/lessEqual.ts'
import { logicalAnd } from '../math/logicalAnd.ts'
import { select } from '../math/select.ts'
import { sub } from '../math/sub.ts'
import { sum } from '../reduce/sum.ts'
import { expandDims } from './expandDims.ts'
import { fill } from './fill.ts'
import { gather } from './gather.ts'

/**
 * For each of `values` [..., m] how many elements of `sorted` [..., n] (ascending along the last axis) come before it:
 * the place to insert it, before its equals (`left`) or after them (`right`). Lists that are not ascending answer anything from 0 to n.
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
      const before = side === 'left' ? less : lessEqual
      const length = sorted.shape.at(-1) as number
      const places =
        length <= fewElements ? countBefore(sorted, values, before) : bisect(sorted, values, length, before)
      return cast(places, { to: dtype })
    },
  },
})

/** Lists of at most so many elements are compared with as a whole: that is one kernel. */
const fewElements = 16

type Comparison = (a: Tensor, b: Tensor) => Tensor

/** Compares each value with all elements. */
function countBefore(sorted: Tensor, values: Tensor, before: Comparison): Tensor {
  const answers = before(expandDims(sorted, { axis: -2 }), expandDims(values, { axis: -1 }))
  return sum(cast(answers, { to: 'int32' }), { axes: [-1] })
}

/** Goes forward by powers of two, from the largest to 1, wherever the element that would be passed last still comes before the value. */
function bisect(sorted: Tensor, values: Tensor, length: number, before: Comparison): Tensor {
  const batchDims = sorted.rank - 1
  let place: Tensor = fill({ shape: values.shape as Size, dtype: 'int32' })
  for (let step = 2 ** Math.floor(Math.log2(length)); step >= 1; step /= 2) {
    const next = add(place, step)
    const passed = gather(sorted, sub(next, 1), { batchDims })
    place = select(logicalAnd(lessEqual(next, length), before(passed, values)), next, place)
  }
  return place
}
