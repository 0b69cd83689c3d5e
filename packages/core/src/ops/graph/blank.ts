// A tensor of which only the type is needed.
import type { Tensor } from '../../graph/graph.ts'
import { attr, defineOp } from '../../op.ts'

/** Stands in for an input that lends only its shape, once sizes are known; never computed, never stored. */
export const blank = defineOp({
  name: 'Blank',
  doc: 'Stands in for an input that lends only its shape; never computed, never stored.',
  inputs: [],
  attrs: { shape: attr.shape('the shape'), dtype: attr.dtype('the dtype') },
  infer: (_, { shape, dtype }) => [{ dtype, shape }],
  body: { kind: 'runtime', role: 'blank' },
})

/** Is this a value that nobody computes? */
export const isBlank = (t: Tensor): boolean =>
  t.node.op.body.kind === 'runtime' && t.node.op.body.role === 'blank'
