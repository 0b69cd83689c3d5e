// Elements at regular distances, with the indices of NumPy.
import { fixedSize } from '../../dtype.ts'
import { AttrError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { int, times } from '../../ir/view.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { Dim, Shape } from '../../shape.ts'
import { formatShape, unknown } from '../../shape.ts'

/** As a bound of a strided slice: as far as the axis goes, upwards. */
export const upToEnd = 2 ** 31 - 1
/** As the end of a strided slice with a negative stride: down to and with element 0. */
export const downToStart = -(2 ** 31)

const attributes = {
  begin: attr.ints('the first index per axis, negative counted from the end; beyond the axis: its edge'),
  end: attr.ints(
    'the index that is not reached, per axis, negative counted from the end; beyond the axis: its edge',
  ),
  strides: attr.ints('the distance between elements, per axis; negative runs backwards'),
}
type Attributes = {
  readonly begin: readonly number[]
  readonly end: readonly number[]
  readonly strides: readonly number[]
}

/** x[begin:end:stride] along each axis, as NumPy slices; axes after the given ones are taken whole. */
export const stridedSlice = defineOp({
  name: 'StridedSlice',
  doc: 'x[begin:end:stride] along each axis, as NumPy slices; axes after the given ones are taken whole.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: attributes,
  infer: ([x], attrs) => {
    check(attrs, x.shape)
    return [{ dtype: x.dtype, shape: x.shape.map((d, axis) => slicedSize(d, axis, attrs)) }]
  },
  grad: ({ dy, inputs: [x], attrs }: GradContext<readonly ['x'], typeof attributes>): [Tensor] => [
    stridedPutLike(dy, x, attrs),
  ],
  body: {
    kind: 'view',
    map: (at, { shape }, attrs) => ({
      index: at.map((i, axis) => {
        const { first, stride } = bounds(shape[axis]!, axis, attrs)
        return E.add(times(i, stride), int(first))
      }),
    }),
  },
})

/** Zeros in the shape of `like`, whose values are not used, with the elements of x where `stridedSlice` would read them. */
export const stridedPutLike = defineOp({
  name: 'StridedPutLike',
  doc: 'Zeros in the shape of another tensor, whose values are not used, with the elements of x where StridedSlice would read them.',
  inputs: ['x', 'like'],
  dtypes: [fixedSize],
  attrs: attributes,
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([x, like]) => [{ dtype: x.dtype, shape: like.shape }],
  grad: ({ dy, attrs }: GradContext<readonly ['x', 'like'], typeof attributes>): [Tensor, null] => [
    stridedSlice(dy, attrs),
    null,
  ],
  body: {
    kind: 'composite',
    build: ([x, like], attrs): Tensor => stridedPut(x, { ...attrs, shape: like.shape }),
  },
})

/** Zeros in a shape with the elements of x where `stridedSlice` would read them. */
export const stridedPut = defineOp({
  name: 'StridedPut',
  doc: 'Zeros in a shape with the elements of x where StridedSlice would read them.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: { ...attributes, shape: attr.shape('the shape of the result') },
  infer: ([x], { shape }) => [{ dtype: x.dtype, shape }],
  grad: ({ dy, attrs: { begin, end, strides } }): [Tensor] => [stridedSlice(dy, { begin, end, strides })],
  body: {
    kind: 'view',
    map(at, { shape }, attrs, output) {
      const steps = at.map((i, axis) => {
        const { first, stride } = bounds(output.shape[axis]!, axis, attrs)
        return { distance: E.sub(i, int(first)), stride: int(stride) }
      })
      const index = steps.map(({ distance, stride }) => E.div(distance, stride))
      const valid = steps.flatMap(({ distance, stride }, axis) => [
        E.eq(E.rem(distance, stride), int(0)),
        E.le(int(0), index[axis]!),
        E.lt(index[axis]!, int(shape[axis]!)),
      ])
      return valid.length === 0 ? { index } : { index, valid: valid.reduce(E.and) }
    },
  },
})

function check({ begin, end, strides }: Attributes, shape: Shape): void {
  if (begin.length !== end.length || begin.length !== strides.length || begin.length > shape.length)
    throw new AttrError(
      `begin [${begin}], end [${end}] and strides [${strides}] must be equally many, at most one for each axis of ${formatShape(shape)}`,
    )
  if (strides.includes(0))
    throw new AttrError('a stride of 0 never gets anywhere: use a positive or negative one')
}

/** Where a slice of an axis begins, how it goes on, and how many elements it has. */
function bounds(
  size: number,
  axis: number,
  { begin, end, strides }: Attributes,
): { first: number; stride: number; count: number } {
  const stride = strides[axis] ?? 1
  const [low, high] = stride > 0 ? [0, size] : [-1, size - 1]
  const clamp = (i: number): number => Math.min(Math.max(i < 0 ? i + size : i, low), high)
  const first = clamp(begin[axis] ?? 0)
  const last = clamp(end[axis] ?? upToEnd)
  return { first, stride, count: Math.max(0, Math.ceil((last - first) / stride)) }
}

function slicedSize(d: Dim, axis: number, attrs: Attributes): Dim {
  if (typeof d === 'number') return bounds(d, axis, attrs).count
  const [begin, end, stride] = [attrs.begin[axis] ?? 0, attrs.end[axis] ?? upToEnd, attrs.strides[axis] ?? 1]
  const whole =
    (stride === 1 && begin === 0 && end === upToEnd) ||
    (stride === -1 && begin === upToEnd && end === downToStart)
  return whole ? d : unknown
}
