// Where a tensor leaves one partition of a graph and enters another.
import { attr, defineOp } from '../../op.ts'

const key = attr.text('what the rendezvous calls the tensor')

/** Hands x to the partition that receives `key`. Never waits. Made by the partitioner. */
export const send = defineOp({
  name: 'Send',
  doc: 'Hands x to the partition that receives it under the same key. Never waits.',
  inputs: ['x'],
  attrs: { key },
  outputs: 'list',
  traits: { effect: 'external', overlaps: true },
  infer: () => [],
  body: { kind: 'runtime', role: 'send' },
})

/** The tensor that another partition sends under `key`; waits for it. Made by the partitioner. */
export const recv = defineOp({
  name: 'Recv',
  doc: 'The tensor that another partition sends under the same key; waits for it.',
  inputs: [],
  attrs: { key, shape: attr.shape('the shape'), dtype: attr.dtype('the dtype') },
  traits: { effect: 'external', overlaps: true },
  infer: (_, { shape, dtype }) => [{ dtype, shape }],
  body: { kind: 'runtime', role: 'recv' },
})
