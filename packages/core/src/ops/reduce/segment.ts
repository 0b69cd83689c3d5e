// Reductions over groups: each element along the leading axes says in which group it is.
import { AttrError, ShapeError } from '../../errors.ts'
import type { DType } from '../../dtype.ts'
import { fixedSize } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { neutral } from '../../ir/kernel.ts'
import type { Combine } from '../../ir/kernel.ts'
import { NDArray, ndarray } from '../../ndarray.ts'
import { attr, defineOp } from '../../op.ts'
import { formatShape, mergeShapes, unknown } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { constant, toTensor } from '../constant.ts'
import { expandDims } from '../array/expandDims.ts'
import { broadcastTo } from '../array/broadcastTo.ts'
import { onesLike } from '../array/fill.ts'
import { tensorScatter } from '../array/tensorScatter.ts'
import { cast } from '../math/cast.ts'
import { div } from '../math/div.ts'
import { maximum } from '../math/maximum.ts'

/** A vector as long as the greatest id plus one: its shape is what is wanted. Runs on the host. */
const segmentSlots = defineOp({
  name: 'SegmentSlots',
  doc: 'A vector as long as the greatest id plus one, all false: its shape is what is wanted. Runs on the host.',
  inputs: ['ids'],
  dtypes: [['int32', 'int64']],
  infer: () => [{ dtype: 'bool', shape: [unknown] }],
  grad: (): [null] => [null],
  body: {
    kind: 'runtime',
    role: 'host',
    run([ids]) {
      const { data } = ids as NDArray<'int32' | 'int64'>
      let last: number | bigint = -1
      for (let i = 0; i < data.length; i++) if (data[i]! > last) last = data[i]!
      const count = Number(last) + 1
      return [new NDArray('bool', [count], new Uint8Array(count))]
    },
  },
})

/** What groups begin with: [slots, ...rest of x after `idRank` axes], both of which lend only their shapes. */
const segmentStart = defineOp({
  name: 'SegmentStart',
  doc: 'What groups begin with before anything is added to them: one value in the shape [slots, ...rest of x].',
  inputs: ['slots', 'x'],
  dtypes: [['bool'], fixedSize],
  attrs: {
    idRank: attr.int('how many axes of x the ids cover'),
    combine: attr.oneOf('how elements will be joined', ['sum', 'prod', 'max', 'min']),
  },
  traits: { shapeOnly: () => true },
  infer: ([slots, x], { idRank }) => [{ dtype: x.dtype, shape: [slots.shape[0]!, ...x.shape.slice(idRank)] }],
  grad: (): [null, null] => [null, null],
  body: {
    kind: 'composite',
    build: ([slots, x], { idRank, combine }): Tensor =>
      broadcastTo(start(combine, x.dtype), { shape: [slots.shape[0]!, ...x.shape.slice(idRank)] }),
  },
})
/** The definitions behind the segment reductions. */
export const segmentOps = [{ def: segmentSlots.def }, { def: segmentStart.def }]

/** The neutral element of a reduction, exact also for int64. */
function start(combine: Combine, dtype: DType): Tensor {
  const extreme = dtype === 'int64' && (combine === 'max' || combine === 'min')
  return extreme
    ? constant(combine === 'max' ? -(2n ** 63n) : 2n ** 63n - 1n, 'int64')
    : constant(
        ndarray([neutral(combine, dtype)], 'float64')
          .cast(dtype)
          .reshape([]),
      )
}

interface Options {
  /** The number of groups; elements of others are left out. Left out: the greatest id plus one, which is found on the host. */
  readonly count?: number
}
const updates = { sum: 'add', prod: 'mul', max: 'max', min: 'min' } as const

function segment(combine: Combine, x: TensorLike, ids: TensorLike, { count }: Options): Tensor {
  const [values, groups] = [toTensor(x), toTensor(ids, 'int32')]
  if (groups.rank > values.rank)
    throw new ShapeError(
      `segments: ids ${formatShape(groups.shape)} have more axes than x ${formatShape(values.shape)}`,
    )
  if (count !== undefined && count < 0) throw new AttrError(`segments: count ${count} is negative`)
  mergeShapes(
    groups.shape,
    values.shape.slice(0, groups.rank),
    'segments: ids must have the leading sizes of x',
  )
  const begin =
    count === undefined
      ? segmentStart(segmentSlots(groups), values, { idRank: groups.rank, combine })
      : broadcastTo(start(combine, values.dtype), { shape: [count, ...values.shape.slice(groups.rank)] })
  return tensorScatter(begin, expandDims(groups, { axis: -1 }), values, { update: updates[combine] })
}

/** Sums of the elements of x in each group: `ids` [...n] are the groups of x [...n, ...rest]; the result is [count, ...rest]. Empty groups: 0. */
export const unsortedSegmentSum = (x: TensorLike, ids: TensorLike, options: Options = {}): Tensor =>
  segment('sum', x, ids, options)
/** Products of the elements of x in each group. Empty groups: 1. @see unsortedSegmentSum */
export const unsortedSegmentProd = (x: TensorLike, ids: TensorLike, options: Options = {}): Tensor =>
  segment('prod', x, ids, options)
/** The greatest element of x in each group. Empty groups: -Infinity, or the least integer. @see unsortedSegmentSum */
export const unsortedSegmentMax = (x: TensorLike, ids: TensorLike, options: Options = {}): Tensor =>
  segment('max', x, ids, options)
/** The least element of x in each group. Empty groups: Infinity, or the greatest integer. @see unsortedSegmentSum */
export const unsortedSegmentMin = (x: TensorLike, ids: TensorLike, options: Options = {}): Tensor =>
  segment('min', x, ids, options)

/** The mean of the elements of x in each group. Empty groups: 0. @see unsortedSegmentSum */
export function unsortedSegmentMean(x: TensorLike, ids: TensorLike, options: Options = {}): Tensor {
  const [values, groups] = [toTensor(x), toTensor(ids, 'int32')]
  const sums = segment('sum', values, groups, options)
  const counts = segment('sum', cast(onesLike(groups), { to: values.dtype }), groups, options)
  // Counts [count] beside sums [count, ...rest].
  const aligned = values.shape.slice(groups.rank).reduce<Tensor>((t) => expandDims(t, { axis: -1 }), counts)
  return div(sums, maximum(aligned, 1))
}
