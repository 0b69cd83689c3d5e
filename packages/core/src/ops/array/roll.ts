// Shifting around.
import { fixedSize } from '../../dtype.ts'
import { AttrError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { int } from '../../ir/view.ts'
import { attr, defineOp } from '../../op.ts'
import { normalizeAxes, normalizeAxis } from '../../shape.ts'

/** x with its elements moved `shifts[i]` places towards the end of axis `axes[i]`; what leaves at the end comes back at the beginning. */
export const roll = defineOp({
  name: 'Roll',
  doc: 'x with its elements moved around along axes; what leaves at the end comes back at the beginning.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: {
    shifts: attr.ints('how many places, for each of the axes'),
    axes: attr.ints('the axes, negative ones counted from the end'),
  },
  infer: ([x], { shifts, axes }) => {
    normalizeAxes(axes, x.shape.length)
    if (shifts.length !== axes.length)
      throw new AttrError(`${shifts.length} shifts for ${axes.length} axes: give one for each`)
    return [x]
  },
  grad: ({ dy, attrs: { shifts, axes } }): [Tensor] => [roll(dy, { shifts: shifts.map((n) => -n), axes })],
  body: {
    kind: 'view',
    map(at, { shape }, { shifts, axes }) {
      const index = [...at]
      axes.forEach((named, k) => {
        const axis = normalizeAxis(named, shape.length)
        const size = Math.max(shape[axis]!, 1)
        const shift = ((shifts[k]! % size) + size) % size
        if (shift !== 0) index[axis] = E.rem(E.add(at[axis]!, int(size - shift)), int(size))
      })
      return { index }
    },
  },
})
