// The gradient of mirror padding: every mirror image is folded back onto what it shows.
import { numerics } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import { add } from '../math/add.ts'
import { pad } from './pad.ts'
import { reverse } from './reverse.ts'
import { slice } from './slice.ts'

const attributes = {
  before: attr.ints('how many elements were put before, per axis'),
  after: attr.ints('how many elements were put after, per axis'),
  mode: attr.oneOf('how the padding was mirrored', ['reflect', 'symmetric']),
}

/** What flows back through `pad` with mirrors: x (of the padded shape) folded onto the shape of `like`, whose values are not used. */
export const mirrorPadBack = defineOp({
  name: 'MirrorPadBack',
  doc: 'A mirror-padded tensor folded back: each mirror image is added to what it shows; the other input lends its shape.',
  inputs: ['x', 'like'],
  dtypes: [numerics],
  attrs: attributes,
  traits: { shapeOnly: (i) => i === 1 },
  infer: ([x, like]) => [{ dtype: x.dtype, shape: like.shape }],
  grad: ({ dy, attrs }: GradContext<readonly ['x', 'like'], typeof attributes>): [Tensor, null] => [
    pad(dy, attrs),
    null,
  ],
  body: {
    kind: 'composite',
    build: ([x], { before, after, mode }): Tensor =>
      before.reduce(
        (folded, _, axis) => fold(folded, axis, before[axis]!, after[axis]!, mode === 'symmetric' ? 0 : 1),
        x,
      ),
  },
})

/** Adds the `before` first and `after` last elements of an axis to the part between, mirrored, `skip` elements inwards from the edges. */
function fold(x: Tensor, axis: number, before: number, after: number, skip: number): Tensor {
  const size = (x.shape[axis] as number) - before - after
  const along = <T>(value: T, others: (i: number) => T): T[] =>
    x.shape.map((_, i) => (i === axis ? value : others(i)))
  const part = (begin: number, count: number): Tensor =>
    slice(x, { begin: along(begin, () => 0), size: along(count, () => -1) })
  const image = (begin: number, count: number, to: number): Tensor =>
    pad(reverse(part(begin, count), { axes: [axis] }), {
      before: along(to, () => 0),
      after: along(size - to - count, () => 0),
    })
  let folded = part(before, size)
  if (before > 0) folded = add(folded, image(0, before, skip))
  if (after > 0) folded = add(folded, image(before + size, after, size - skip - after))
  return folded
}
