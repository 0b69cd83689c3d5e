// The places where something is true, and what stands there.
import { allocate, fixedSize } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { NDArray } from '../../ndarray.ts'
import { attr, defineOp } from '../../op.ts'
import { formatShape, mergeShapes, normalizeAxis, unknown } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { select } from '../math/select.ts'
import { gather } from './gather.ts'
import { reshape } from './reshape.ts'

/** The indices [n, rank] of the n elements of x that are true (or not zero), in row-major order. Runs on the host. */
export const argWhere = defineOp({
  name: 'ArgWhere',
  doc: 'The indices [n, rank] of the n elements of x that are true (or not zero), in row-major order. Runs on the host.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: { dtype: attr.oneOf('the dtype of the indices', ['int32', 'int64']) },
  infer: ([x], { dtype }) => [{ dtype, shape: [unknown, x.shape.length] }],
  grad: (): [null] => [null],
  body: {
    kind: 'runtime',
    role: 'host',
    run([x], { dtype }) {
      const { shape, rank } = x!
      const found = truePlaces(x!)
      const indices = allocate(dtype, found.length * rank)
      // Not negative and below 2^31, an index of 64 bits is its lower half beside zeros.
      const words = new Int32Array(indices.buffer)
      const wordsEach = dtype === 'int64' ? 2 : 1
      for (let n = 0; n < found.length; n++) {
        let rest = found[n]!
        for (let axis = rank - 1; axis >= 0; axis--) {
          const size = shape[axis]!
          const next = Math.floor(rest / size)
          words[(n * rank + axis) * wordsEach] = rest - next * size
          rest = next
        }
      }
      return [new NDArray(dtype, [found.length, rank], indices)]
    },
  },
})

/** Where the elements are true or not zero, as flat indices; NaN is not zero. */
function truePlaces({ dtype, data, size }: NDArray): Float64Array {
  const places = new Float64Array(size)
  // Half precision is held as bits, of which -0 has one: the sign does not count.
  const isHalf = dtype === 'float16' || dtype === 'bfloat16'
  let count = 0
  for (let i = 0; i < size; i++) {
    const value = isHalf ? (data[i] as number) & 0x7fff : data[i]!
    if (value || value !== value) places[count++] = i
  }
  return places.subarray(0, count)
}

/** With two values: `a` where the condition is true, `b` where it is false, all broadcast. Without: the indices [n, rank] of what is true. */
export function where(condition: TensorLike, a?: TensorLike, b?: TensorLike): Tensor {
  if (a === undefined && b === undefined) return argWhere(condition)
  if (a === undefined || b === undefined)
    throw new ShapeError('where: give both values, or none for the indices of what is true')
  return select(condition, a, b)
}

/**
 * The slices of x where `mask` is true, along one axis: `mask` covers the axes of x from `axis` (default 0) on.
 * @throws ShapeError when the mask does not fit.
 */
export function booleanMask(
  x: TensorLike,
  mask: TensorLike,
  { axis = 0 }: { readonly axis?: number } = {},
): Tensor {
  const [values, chosen] = [toTensor(x), toTensor(mask, 'bool')]
  const at = normalizeAxis(axis, values.rank)
  if (chosen.rank === 0 || at + chosen.rank > values.rank)
    throw new ShapeError(
      `booleanMask: mask ${formatShape(chosen.shape)} does not fit ${formatShape(values.shape)} from axis ${at} on`,
    )
  mergeShapes(chosen.shape, values.shape.slice(at, at + chosen.rank), 'booleanMask: sizes differ')
  const flat = reshape(values, {
    shape: [...values.shape.slice(0, at), -1, ...values.shape.slice(at + chosen.rank)],
  })
  const rows = reshape(argWhere(reshape(chosen, { shape: [-1] })), { shape: [-1] })
  return gather(flat, rows, { axis: at })
}
