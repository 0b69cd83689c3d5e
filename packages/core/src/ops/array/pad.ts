// Room around a tensor: filled with a value, or with the tensor seen in mirrors at its edges.
import { fixedSize } from '../../dtype.ts'
import { AttrError, ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Expr } from '../../ir/expr.ts'
import { E } from '../../ir/expr.ts'
import type { IndexMap } from '../../ir/kernel.ts'
import { int } from '../../ir/view.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { Dim, Shape, Size } from '../../shape.ts'
import { formatShape, unknown } from '../../shape.ts'
import { mirrorPadBack } from './mirrorPadBack.ts'
import { cutLike } from './slice.ts'

const attributes = {
  before: attr.ints('how many elements to put before x, per axis'),
  after: attr.ints('how many elements to put after x, per axis'),
  value: attr.float('what to fill with in mode constant', 0),
  mode: attr.oneOf(
    'constant: a value; reflect: mirrored without the edge; symmetric: mirrored with the edge',
    ['constant', 'reflect', 'symmetric'],
  ),
}

/**
 * x with `before` and `after` elements more along each axis.
 * @throws ShapeError when a mirror would have to show more than there is.
 */
export const pad = defineOp({
  name: 'Pad',
  doc: 'x with more elements before and after it along each axis: a value, or x mirrored at its edges.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: attributes,
  infer: ([x], { before, after, mode }) => [{ dtype: x.dtype, shape: padded(x.shape, before, after, mode) }],
  grad: ({ dy, inputs: [x], attrs }: GradContext<readonly ['x'], typeof attributes>): [Tensor] => [
    attrs.mode === 'constant'
      ? cutLike(dy, x, { begin: attrs.before })
      : mirrorPadBack(dy, x, { before: attrs.before, after: attrs.after, mode: attrs.mode }),
  ],
  body: {
    kind: 'view',
    map: (at, { shape }, { before, value, mode }) =>
      mode === 'constant'
        ? within(at, shape, before, value)
        : { index: at.map((i, axis) => mirrored(i, before[axis]!, shape[axis]!, mode)) },
  },
})

function within(at: readonly Expr[], shape: Size, before: readonly number[], fill: number): IndexMap {
  const index = at.map((i, axis) => (before[axis] === 0 ? i : E.sub(i, int(before[axis]!))))
  const inside = index.flatMap((i, axis) => [E.le(int(0), i), E.lt(i, int(shape[axis]!))])
  return inside.length === 0 ? { index } : { index, valid: inside.reduce(E.and), fill }
}

function mirrored(i: Expr, before: number, size: number, mode: 'reflect' | 'symmetric'): Expr {
  const edge = mode === 'symmetric' ? 1 : 0
  const x = E.sub(i, int(before))
  const low = E.select(E.lt(x, int(0)), E.sub(int(-edge), x), x)
  return E.select(E.lt(low, int(size)), low, E.sub(int(2 * size - 2 + edge), low))
}

function padded(shape: Shape, before: readonly number[], after: readonly number[], mode: string): Shape {
  if (before.length !== shape.length || after.length !== shape.length)
    throw new AttrError(
      `before [${before}] and after [${after}] need one number for each axis of ${formatShape(shape)}`,
    )
  return shape.map((d, axis): Dim => {
    const [a, b] = [before[axis]!, after[axis]!]
    if (a < 0 || b < 0)
      throw new AttrError(
        `cannot put ${Math.min(a, b)} elements at axis ${axis}: use slice to take some away`,
      )
    if (typeof d === 'string') return a + b === 0 ? d : unknown
    const most = mode === 'constant' ? Infinity : mode === 'reflect' ? d - 1 : d
    if (Math.max(a, b) > most)
      throw new ShapeError(
        `axis ${axis} of ${formatShape(shape)} has only ${most} elements to ${mode}, not ${Math.max(a, b)}`,
      )
    return d + a + b
  })
}
