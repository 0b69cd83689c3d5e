// Axes of size 1 put in and taken out.
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { int } from '../../ir/view.ts'
import type { AnyOp } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { Shape } from '../../shape.ts'
import { formatShape, normalizeAxes, normalizeAxis } from '../../shape.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { reshapeLike } from './reshape.ts'

/** x with a new axis of size 1 before axis `axis`; -1 puts it last. */
export const expandDims = defineOp({
  name: 'ExpandDims',
  doc: 'x with a new axis of size 1 before an axis; -1 puts it last.',
  inputs: ['x'],
  attrs: { axis: attr.int('where the new axis will be, negative counted from the end of the result', 0) },
  infer: ([x], { axis }) => [
    { dtype: x.dtype, shape: x.shape.toSpliced(normalizeAxis(axis, x.shape.length + 1), 0, 1) },
  ],
  grad: ({ dy, attrs: { axis } }): [Tensor] => [squeeze(dy, { axes: [axis] })],
  body: {
    kind: 'view',
    map: (at, _, { axis }) => ({ index: at.toSpliced(normalizeAxis(axis, at.length), 1) }),
  },
})

const squeezeOp = defineOp({
  name: 'Squeeze',
  doc: 'x without some axes, which have size 1.',
  inputs: ['x'],
  attrs: { axes: attr.ints('the axes to take out, negative ones counted from the end') },
  infer: ([x], { axes }) => {
    const out = ofSizeOne(x.shape, axes)
    return [{ dtype: x.dtype, shape: x.shape.filter((_, i) => !out.includes(i)) }]
  },
  grad: ({ dy, inputs: [x] }): [Tensor] => [reshapeLike(dy, x)],
  body: {
    kind: 'view',
    map(at, { shape }, { axes }) {
      const out = ofSizeOne(shape, axes)
      const rest = [...at]
      return { index: shape.map((_, i) => (out.includes(i) ? int(0) : rest.shift()!)) }
    },
  },
})

/**
 * x without the given axes, which have size 1; without all axes known to have size 1 when left out.
 * @throws ShapeError for an axis of another size.
 */
export const squeeze: ((
  x: TensorLike,
  options?: { readonly axes?: readonly number[]; readonly name?: string },
) => Tensor) &
  AnyOp = Object.assign(
  (
    x: TensorLike,
    { axes, name }: { readonly axes?: readonly number[]; readonly name?: string } = {},
  ): Tensor => {
    const whole = toTensor(x)
    return squeezeOp(whole, { axes: axes ?? whole.shape.flatMap((d, i) => (d === 1 ? [i] : [])), name })
  },
  { def: squeezeOp.def },
)

function ofSizeOne(shape: Shape, axes: readonly number[]): number[] {
  const out = normalizeAxes(axes, shape.length)
  out.forEach((axis) => {
    const d = shape[axis]!
    if (typeof d === 'number' && d !== 1)
      throw new ShapeError(
        `axis ${axis} of ${formatShape(shape)} has size ${d}, only axes of size 1 can be taken out`,
      )
  })
  return out
}
