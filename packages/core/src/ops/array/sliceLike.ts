// The part of a joined tensor that one of its parts became.
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxis, unknown } from '../../shape.ts'
import { slice } from './slice.ts'

/** Of a concatenation (the first input) of the other inputs, which lend only their shapes, the piece that part `part` is. */
export const sliceLike = defineOp({
  name: 'SliceLike',
  doc: 'Of a concatenation of the other inputs, which lend only their shapes, the piece that one part is.',
  inputs: ['...xs'],
  attrs: { axis: attr.int('the axis of the concatenation'), part: attr.int('which part') },
  traits: { shapeOnly: (i) => i >= 1 },
  infer: ([whole, ...parts], { part }) => [{ dtype: whole!.dtype, shape: parts[part]!.shape }],
  grad: (): null[] => [],
  body: {
    kind: 'composite',
    build: ([whole, ...parts], { axis, part }): Tensor => {
      const at = normalizeAxis(axis, whole!.rank)
      const sizes = parts.map((t) => t.shape[at] as number)
      const begin = sizes.slice(0, part).reduce((a, b) => a + b, 0)
      return slice(whole!, {
        begin: whole!.shape.map((_, i) => (i === at ? begin : 0)),
        size: whole!.shape.map((d, i) => (i === at ? sizes[part]! : d === unknown ? -1 : (d as number))),
      })
    },
  },
})
