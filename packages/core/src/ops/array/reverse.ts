// The other way round.
import { fixedSize } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { int } from '../../ir/view.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxes } from '../../shape.ts'

/** x with the order of the elements reversed along axes, all of them by default. */
export const reverse = defineOp({
  name: 'Reverse',
  doc: 'x with the order of the elements reversed along axes, all of them by default.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: {
    axes: attr.ints('the axes to reverse, negative ones counted from the end; all when left out', undefined),
  },
  infer: ([x], { axes }) => {
    normalizeAxes(axes, x.shape.length)
    return [x]
  },
  grad: ({ dy, attrs: { axes } }): [Tensor] => [reverse(dy, { axes })],
  body: {
    kind: 'view',
    map(at, { shape }, { axes }) {
      const reversed = normalizeAxes(axes, shape.length)
      return { index: at.map((i, axis) => (reversed.includes(axis) ? E.sub(int(shape[axis]! - 1), i) : i)) }
    },
  },
})
