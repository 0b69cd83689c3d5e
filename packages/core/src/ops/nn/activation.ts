// Activations that are formulas of other ops; this maker states the rest once. They fuse into one loop and are differentiated through their parts.
import { floats } from '../../dtype.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { Op } from '../../op.ts'
import { defineOp } from '../../op.ts'

interface ActivationSpec {
  readonly name: string
  readonly doc: string
  readonly build: (x: Tensor) => Tensor
}

/** An element-wise op of one float input, made of other ops. */
export const activation = ({ name, doc, build }: ActivationSpec): Op<readonly ['x'], {}, readonly ['y']> =>
  defineOp({
    name,
    doc,
    inputs: ['x'],
    dtypes: [floats],
    infer: ([x]) => [x],
    body: { kind: 'composite', build: ([x]): Tensor => build(x) },
  })
