// The same value under another name.
import type { Tensor } from '../../graph/graph.ts'
import { defineOp } from '../../op.ts'

/** x itself: gives a value a name, a device or control inputs of its own. */
export const identity = defineOp({
  name: 'Identity',
  doc: 'x itself: gives a value a name, a device or control inputs of its own.',
  inputs: ['x'],
  traits: { identity: true },
  infer: ([x]) => [x],
  grad: ({ dy }): [Tensor] => [dy],
  body: { kind: 'view', map: (at) => ({ index: at }) },
})

/** x itself, but no gradient flows back through it. */
export const stopGradient = defineOp({
  name: 'StopGradient',
  doc: 'x itself, but no gradient flows back through it.',
  inputs: ['x'],
  traits: { identity: true },
  infer: ([x]) => [x],
  grad: (): [null] => [null],
  body: { kind: 'view', map: (at) => ({ index: at }) },
})
