// Evenly spaced numbers.
import { floats, numerics } from '../../dtype.ts'
import type { DType } from '../../dtype.ts'
import { AttrError, DTypeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { attr, defineOp } from '../../op.ts'
import { constant } from '../constant.ts'
import { ndarray } from '../../ndarray.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { broadcastTo } from './broadcastTo.ts'
import { reshape } from './reshape.ts'

/** `count` evenly spaced numbers from `start` to `stop`, both of them among them. */
export const linspace = defineOp({
  name: 'Linspace',
  doc: 'Evenly spaced numbers from start to stop, both of them among them.',
  inputs: [],
  attrs: {
    start: attr.float('the first number'),
    stop: attr.float('the last number'),
    count: attr.int('how many, at least one'),
    dtype: attr.dtype('the dtype', 'float32'),
  },
  infer: (_, { count, dtype }) => {
    if (count < 1) throw new AttrError(`count ${count} is less than one`)
    if (!floats.includes(dtype)) throw new DTypeError(`cannot be ${dtype}: use a float dtype, or range`)
    return [{ dtype, shape: [count] }]
  },
  body: {
    kind: 'scalar',
    expr(_, { start, stop, count }, { at: [i], output }) {
      const num = (x: number) => E.num(x, output.dtype)
      const inner = E.add(
        num(start),
        E.mul(E.cast(i!, num(0).dtype), num((stop - start) / Math.max(1, count - 1))),
      )
      return E.select(
        E.lt(i!, E.num(Math.max(1, count - 1), 'int32')),
        inner,
        num(count === 1 ? start : stop),
      )
    },
  },
})

/** start, start + step, … as long as it is below `limit` (above it for a negative step); `range(n)` counts from 0. Default dtype int32. */
export function range(
  start: number,
  limit?: number,
  { step = 1, dtype = 'int32' }: { readonly step?: number; readonly dtype?: DType } = {},
): Tensor {
  const [from, to] = limit === undefined ? [0, start] : [start, limit]
  if (step === 0) throw new AttrError('range: a step of 0 never gets anywhere')
  if (!numerics.includes(dtype)) throw new DTypeError(`range: cannot be ${dtype}`)
  const count = Math.max(0, Math.ceil((to - from) / step))
  return constant(ndarray(Float64Array.from({ length: count }, (_, i) => from + i * step)), dtype)
}

/**
 * Coordinates: one tensor per list, all in the shape [..sizes of the lists], varying along its own axis only.
 * @param options.indexing 'xy' (default) swaps the first two axes, as for the columns and rows of a picture; 'ij' does not.
 */
export function meshgrid(
  lists: readonly TensorLike[],
  { indexing = 'xy' }: { readonly indexing?: 'xy' | 'ij' } = {},
): Tensor[] {
  const tensors = lists.map((x) => toTensor(x))
  const axisOf = (i: number): number => (indexing === 'xy' && lists.length > 1 && i < 2 ? 1 - i : i)
  const shape = tensors.map((_, i) => tensors[axisOf(i)]!.shape[0]!)
  return tensors.map((x, i) =>
    broadcastTo(reshape(x, { shape: tensors.map((_, axis) => (axis === axisOf(i) ? -1 : 1)) }), { shape }),
  )
}
