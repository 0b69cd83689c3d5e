// Strings put together and compared.
import { attr, defineOp } from '../../op.ts'
import type { Shape } from '../../shape.ts'
import { broadcastShapes } from '../../shape.ts'
import { joinStrings } from './stringOp.ts'

/** Strings that meet by broadcasting, joined with a separator: `stringJoin([first, ' ', last])`. */
export const stringJoin = defineOp({
  name: 'StringJoin',
  doc: 'Strings that meet by broadcasting, joined with a separator.',
  inputs: ['...xs'],
  dtypes: [['string']],
  attrs: { separator: attr.text('what stands between them', '') },
  infer: (xs) => [{ dtype: 'string', shape: xs.map((x) => x.shape).reduce(broadcastShapes, [] as Shape) }],
  body: {
    kind: 'runtime',
    role: 'host',
    run: (xs, { separator }) => [joinStrings(xs, 'string', (texts) => texts.join(separator))],
  },
})

/** Are strings the same, code unit by code unit? With broadcasting; bool. */
export const stringEqual = defineOp({
  name: 'StringEqual',
  doc: 'Are strings the same? With broadcasting; bool.',
  inputs: ['a', 'b'],
  dtypes: [['string'], ['string']],
  traits: { commutative: true },
  infer: ([a, b]) => [{ dtype: 'bool', shape: broadcastShapes(a.shape, b.shape) }],
  body: { kind: 'runtime', role: 'host', run: (xs) => [joinStrings(xs, 'bool', ([a, b]) => a === b)] },
})
