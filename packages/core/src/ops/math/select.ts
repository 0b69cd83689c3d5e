// A choice between two values, element by element.
import { fixedSize } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { defineOp } from '../../op.ts'
import { broadcastShapes } from '../../shape.ts'
import { sameDType } from '../elementwise.ts'
import { sumTo } from '../reduce/sumLike.ts'

/** a where `condition` is true, b where it is false; all three broadcast, and NaN in the value not chosen does no harm. */
export const select = defineOp({
  name: 'Select',
  doc: 'a where the condition is true, b where it is false; all three broadcast.',
  inputs: ['condition', 'a', 'b'],
  dtypes: [['bool'], fixedSize, fixedSize],
  literals: { condition: 'bool' },
  infer: ([condition, a, b]) => [
    { dtype: sameDType([a, b]), shape: broadcastShapes(condition.shape, broadcastShapes(a.shape, b.shape)) },
  ],
  grad: ({ dy, inputs: [condition, a, b] }): [null, Tensor, Tensor] => [
    null,
    sumTo(select(condition, dy, 0), a),
    sumTo(select(condition, 0, dy), b),
  ],
  body: { kind: 'scalar', expr: ([condition, a, b]) => E.select(condition, a, b) },
})
