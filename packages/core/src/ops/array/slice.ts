// A box cut out of a tensor, and the two ops that undo and repeat the cut when only the shape of the other side is known.
import { fixedSize } from '../../dtype.ts'
import { AttrError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { int } from '../../ir/view.ts'
import { attr, defineOp } from '../../op.ts'
import type { Dim, Shape } from '../../shape.ts'
import { formatShape, unknown } from '../../shape.ts'
import { pad } from './pad.ts'

/**
 * The box of `size` that begins at `begin`; a size of -1 is the rest of the axis.
 * @throws ShapeError when the box reaches beyond x.
 */
export const slice = defineOp({
  name: 'Slice',
  doc: 'The box of a size that begins at an index; a size of -1 is the rest of the axis.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: {
    begin: attr.ints('the index of the first element, per axis'),
    size: attr.ints('how many elements, per axis; -1: all that follow'),
  },
  infer: ([x], { begin, size }) => [{ dtype: x.dtype, shape: boxShape(x.shape, begin, size) }],
  grad: ({ dy, inputs: [x], attrs: { begin } }): [Tensor] => [padLike(dy, x, { begin })],
  body: {
    kind: 'view',
    map: (at, _, { begin }) => ({ index: at.map((i, axis) => E.add(i, int(begin[axis]!))) }),
  },
})

/** Zeros in the shape of `like`, whose values are not used, with x put at `begin`. */
export const padLike = defineOp({
  name: 'PadLike',
  doc: 'Zeros in the shape of another tensor, whose values are not used, with x put at an index.',
  inputs: ['x', 'like'],
  dtypes: [fixedSize],
  attrs: { begin: attr.ints('where the first element of x goes, per axis') },
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([x, like]) => [{ dtype: x.dtype, shape: like.shape }],
  grad: ({ dy, inputs: [x], attrs: { begin } }): [Tensor, null] => [cutLike(dy, x, { begin }), null],
  body: {
    kind: 'composite',
    build: ([x, like], { begin }): Tensor =>
      pad(x, {
        before: begin,
        after: like.shape.map((d, i) => (d as number) - begin[i]! - (x.shape[i] as number)),
      }),
  },
})

/** The box of x that begins at `begin` and has the shape of `like`, whose values are not used. */
export const cutLike = defineOp({
  name: 'CutLike',
  doc: 'The box of x that begins at an index and has the shape of another tensor, whose values are not used.',
  inputs: ['x', 'like'],
  dtypes: [fixedSize],
  attrs: { begin: attr.ints('the index of the first element, per axis') },
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([x, like]) => [{ dtype: x.dtype, shape: like.shape }],
  grad: ({ dy, inputs: [x], attrs: { begin } }): [Tensor, null] => [padLike(dy, x, { begin }), null],
  body: {
    kind: 'composite',
    build: ([x, like], { begin }): Tensor => slice(x, { begin, size: like.shape as readonly number[] }),
  },
})

function boxShape(from: Shape, begin: readonly number[], size: readonly number[]): Shape {
  if (begin.length !== from.length || size.length !== from.length)
    throw new AttrError(
      `begin [${begin}] and size [${size}] need one number for each axis of ${formatShape(from)}`,
    )
  return from.map((d, axis): Dim => {
    const [first, count] = [begin[axis]!, size[axis]!]
    if (first < 0 || count < -1)
      throw new AttrError(
        `begin ${first} and size ${count} at axis ${axis}: give begin >= 0 and size >= -1, or use stridedSlice`,
      )
    if (typeof d === 'string') return count >= 0 ? count : first === 0 ? d : unknown
    const end = count < 0 ? d : first + count
    if (first > d || end > d)
      throw new ShapeError(
        `elements ${first} to ${end} do not lie within axis ${axis} of ${formatShape(from)}`,
      )
    return end - first
  })
}
