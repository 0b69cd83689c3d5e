// The places where something is true, and what stands there.
import { allocate, fixedSize } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { getElement, NDArray, setElement } from '../../ndarray.ts'
import { attr, defineOp } from '../../op.ts'
import { formatShape, mergeShapes, normalizeAxis, stridesOf, unknown } from '../../shape.ts'
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
      const found: number[] = []
      for (let i = 0; i < x!.size; i++) {
        const value = getElement(x!.dtype, x!.data, i)
        if (value || value !== value) found.push(i)
      }
      const strides = stridesOf(shape)
      const out = allocate(dtype, found.length * rank)
      found.forEach((flat, n) => {
        strides.forEach((stride, axis) =>
          setElement(dtype, out, n * rank + axis, Math.floor(flat / stride) % shape[axis]!),
        )
      })
      return [new NDArray(dtype, [found.length, rank], out)]
    },
  },
})

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
