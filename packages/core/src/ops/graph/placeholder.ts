// A value given at each run.
import { attr, defineOp } from '../../op.ts'

/** A value given at each run; sizes may be names, bound by what is fed, or '?'. Feeds may call it by its name. @throws AttrError for a negative size. */
export const placeholder = defineOp({
  name: 'Placeholder',
  doc: 'A value given at each run; sizes may be names, bound by what is fed.',
  inputs: [],
  attrs: { shape: attr.shape('the shape'), dtype: attr.dtype('the dtype', 'float32') },
  infer: (_, { shape, dtype }) => [{ dtype, shape }],
  body: { kind: 'runtime', role: 'feed' },
})
