// What the body of a function, branch or loop is called with.
import { attr, defineOp } from '../../op.ts'

/** Parameter `index` of the subgraph that it stands in. Made by the control-flow ops, never by hand. */
export const parameter = defineOp({
  name: 'Parameter',
  doc: 'A parameter of the subgraph that it stands in.',
  inputs: [],
  attrs: {
    index: attr.int('which parameter'),
    shape: attr.shape('the shape'),
    dtype: attr.dtype('the dtype'),
  },
  infer: (_, { shape, dtype }) => [{ dtype, shape }],
  body: { kind: 'runtime', role: 'parameter' },
})
