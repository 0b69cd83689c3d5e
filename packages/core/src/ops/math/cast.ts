// Conversion between element types.
import { fixedSize, floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import { E } from '../../ir/expr.ts'
import { attr, defineOp } from '../../op.ts'

/** x in another dtype: floats to integers truncate and saturate, integers wrap, anything to bool is `!= 0`. */
export const cast = defineOp({
  name: 'Cast',
  doc: 'x in another dtype: floats to integers truncate and saturate, integers wrap, anything to bool is != 0.',
  inputs: ['x'],
  dtypes: [fixedSize],
  attrs: { to: attr.dtype('the dtype of the result') },
  infer: ([x], { to }) => [{ dtype: to, shape: x.shape }],
  grad: ({ dy, inputs: [x], attrs: { to } }): [Tensor | null] => [
    floats.includes(x.dtype) && floats.includes(to) ? cast(dy, { to: x.dtype }) : null,
  ],
  body: { kind: 'scalar', expr: ([x], { to }) => E.cast(x, to) },
})
