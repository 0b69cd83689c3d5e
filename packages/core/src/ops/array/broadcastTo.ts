// Repetition along axes of size 1.
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { broadcastIndex } from '../../ir/view.ts'
import { attr, defineOp } from '../../op.ts'
import type { Shape } from '../../shape.ts'
import { broadcastShapes, formatShape } from '../../shape.ts'
import { sumTo } from '../reduce/sumLike.ts'

/** x repeated along axes of size 1, and along new leading axes, to reach a shape. */
export const broadcastTo = defineOp({
  name: 'BroadcastTo',
  doc: 'x repeated along axes of size 1, and along new leading axes, to reach a shape.',
  inputs: ['x'],
  attrs: { shape: attr.shape('the new shape') },
  infer: ([x], { shape }) => [{ dtype: x.dtype, shape: checked(x.shape, shape) }],
  grad: ({ dy, inputs: [x] }): [Tensor] => [sumTo(dy, x)],
  body: { kind: 'view', map: (at, input) => ({ index: broadcastIndex(at, input.shape) }) },
})

/** x repeated to the shape of `like`, whose values are not used. */
export const broadcastLike = defineOp({
  name: 'BroadcastLike',
  doc: 'x repeated to the shape of another tensor, whose values are not used.',
  inputs: ['x', 'like'],
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([x, like]) => [{ dtype: x.dtype, shape: checked(x.shape, like.shape) }],
  grad: ({ dy, inputs: [x] }): [Tensor, null] => [sumTo(dy, x), null],
  body: { kind: 'composite', build: ([x, like]): Tensor => broadcastTo(x, { shape: like.shape }) },
})

function checked(from: Shape, to: Shape): Shape {
  const both = broadcastShapes(from, to)
  if (
    both.length !== to.length ||
    both.some((d, i) => typeof d === 'number' && typeof to[i] === 'number' && d !== to[i])
  )
    throw new ShapeError(`cannot repeat ${formatShape(from)} to ${formatShape(to)}`)
  return to
}
