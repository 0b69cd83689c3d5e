// Joining along an axis.
import { fixedSize } from '../../dtype.ts'
import { ShapeError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { GradContext } from '../../op.ts'
import { attr, defineOp } from '../../op.ts'
import type { Dim } from '../../shape.ts'
import { mergeShapes, normalizeAxis, unknown } from '../../shape.ts'
import { sameDType } from '../elementwise.ts'
import { sliceLike } from './sliceLike.ts'

const attrs = { axis: attr.int('the axis to join along, negative counted from the end', 0) }

/** Joins tensors of one dtype along an axis; all other sizes are equal. */
export const concat = defineOp({
  name: 'Concat',
  doc: 'Joins tensors of one dtype along an axis; all other sizes are equal.',
  inputs: ['...xs'],
  dtypes: [fixedSize],
  attrs,
  infer: (xs, { axis }) => {
    const [first] = xs
    if (!first) throw new ShapeError('needs at least one tensor')
    const at = normalizeAxis(axis, first.shape.length)
    const others = xs.map((t) => t.shape.map((d, i): Dim => (i === at ? 1 : d)))
    const merged = others.reduce((a, b) => [...mergeShapes(a, b, `sizes differ outside axis ${at}`)])
    const joined = xs.map((t) => t.shape[at]!)
    const size = joined.every((d) => typeof d === 'number')
      ? joined.reduce((a, b) => a + b)
      : joined.length === 1
        ? joined[0]!
        : unknown
    return [{ dtype: sameDType(xs), shape: merged.map((d, i) => (i === at ? size : d)) }]
  },
  grad: ({ dy, inputs, attrs: { axis } }: GradContext<readonly ['...xs'], typeof attrs>): Tensor[] =>
    inputs.map((_, i) => sliceLike([dy, ...inputs], { axis, part: i })),
  body: { kind: 'kernel' },
})
