// Puts reduced axes back with size 1, so that a reduction's gradient broadcasts against its input.
import type { Tensor } from '../../graph/graph.ts'
import { reducedShape } from '../../shape.ts'
import { reshape, reshapeLike } from '../array/reshape.ts'
import { attr, defineOp } from '../../op.ts'

const keepReducedOp = defineOp({
  name: 'KeepReduced',
  doc: 'A reduction of x with the reduced axes put back with size 1.',
  inputs: ['reduced', 'x'],
  attrs: { axes: attr.ints('the axes that were reduced') },
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([reduced, x], { axes }) => [{ dtype: reduced.dtype, shape: reducedShape(x.shape, axes, true) }],
  grad: ({ dy, inputs: [reduced] }): [Tensor, null] => [reshapeLike(dy, reduced), null],
  body: {
    kind: 'composite',
    build: ([reduced, x], { axes }): Tensor => reshape(reduced, { shape: reducedShape(x.shape, axes, true) }),
  },
})

/** `reduced` (x reduced over `axes`, with or without kept axes) with those axes of size 1. */
export const keepReduced = (reduced: Tensor, x: Tensor, axes: readonly number[]): Tensor =>
  reduced.rank === x.rank ? reduced : keepReducedOp(reduced, x, { axes })
/** @see keepReduced */
export const keepReducedDef = { def: keepReducedOp.def }
