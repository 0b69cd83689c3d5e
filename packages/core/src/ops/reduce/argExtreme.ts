// The index of an extreme: the least index among the elements that equal it.
import type { DType } from '../../dtype.ts'
import { numerics } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Op } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import { formatShape, normalizeAxis, reducedShape } from '../../shape.ts'
import { iota } from '../array/iota.ts'
import { cast } from '../math/cast.ts'
import { equal } from '../math/equal.ts'
import { logicalOr } from '../math/logicalOr.ts'
import { notEqual } from '../math/notEqual.ts'
import { select } from '../math/select.ts'
import { min } from './min.ts'
import type { max } from './max.ts'

const attrs = {
  axis: attr.int('the axis to search along, negative counted from the end', 0),
  keepDims: attr.bool('keep the axis with size 1', false),
  dtype: attr.oneOf('the dtype of the index', ['int32', 'int64']),
}

/** An op that answers where along an axis `extreme` is reached first. */
export function argExtreme(spec: {
  name: string
  doc: string
  extreme: typeof max
}): Op<readonly ['x'], typeof attrs, readonly ['y']> {
  return defineOp({
    name: spec.name,
    doc: spec.doc,
    inputs: ['x'],
    dtypes: [numerics],
    attrs,
    infer: ([x], { axis, keepDims, dtype }) => {
      const at = normalizeAxis(axis, x.shape.length)
      if (x.shape[at] === 0)
        throw new ShapeError(`axis ${at} of ${formatShape(x.shape)} is empty: nothing can be found there`)
      return [{ dtype, shape: reducedShape(x.shape, [at], keepDims) }]
    },
    grad: (): [null] => [null],
    body: {
      kind: 'composite',
      build: ([x], { axis, keepDims, dtype }): Tensor => {
        const at = normalizeAxis(axis, x.rank)
        // NaN equals nothing, not even the extreme that it spoils: it is found by that.
        const reached = logicalOr(equal(x, spec.extreme(x, { axes: [at], keepDims: true })), notEqual(x, x))
        const index = min(select(reached, iotaAlong(x, at), x.shape[at] as number), { axes: [at], keepDims })
        return cast(index, { to: dtype })
      },
    },
  })
}

/** 0, 1, 2, … along an axis of x, whose sizes are known, in a shape that broadcasts with x. */
const iotaAlong = (x: Tensor, axis: number, dtype: DType = 'int32'): Tensor =>
  iota({ shape: x.shape.map((d, i) => (i === axis ? d : 1)), axis, dtype })
