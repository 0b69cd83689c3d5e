// A composite made on the spot, whose gradient is whatever its author says.
import { attr } from '../attr.ts'
import type { Subgraph, Tensor } from '../graph/graph.ts'
import { close, instantiate, trace } from '../ops/control/subgraph.ts'
import type { TensorLike } from '../ops/constant.ts'
import { toTensor } from '../ops/constant.ts'
import type { OpDef } from '../op.ts'
import { makeNode } from '../op.ts'

/** What a custom gradient may use. */
export interface CustomGradientContext {
  /** The gradient of the result. */
  readonly dy: Tensor
  readonly inputs: readonly Tensor[]
  readonly output: Tensor
}

// Held as a body, the forward pass learns its sizes with the rest of the graph.
const attrs = { forward: attr.graph('(inputs…, captured…) → (result)') }

/**
 * The result of `forward`, with a gradient of its author's own.
 * @param backward answers one gradient for each input, null where there is none. What `forward` uses besides its inputs gets none.
 */
export function customGradient(
  inputs: readonly TensorLike[],
  forward: (...inputs: Tensor[]) => TensorLike,
  backward: (context: CustomGradientContext) => readonly (Tensor | null)[],
  options: { readonly name?: string } = {},
): Tensor {
  const given = inputs.map((value) => toTensor(value))
  const traced = trace(
    given.map((t) => t.type),
    (...params) => [forward(...params)],
  )
  const {
    bodies: [body],
    capture,
  } = close(traced)
  const captured = capture()
  const def: OpDef = {
    name: 'CustomGradient',
    doc: 'A composite with a gradient of its own.',
    inputs: ['...xs'],
    outputs: ['y'],
    variadic: true,
    dtypes: [],
    literals: {},
    attrs,
    traits: {},
    infer: (_, { forward: parts }) => (parts as Subgraph).fetches.map((t) => t.type),
    subgraphs: (all) => ({ forward: [all] }),
    grad: ({ dy, inputs: all, outputs }) => [
      ...backward({ dy, inputs: all.slice(0, given.length), output: outputs[0]! }),
      ...captured.map(() => null),
    ],
    body: {
      kind: 'composite',
      build: (all: readonly Tensor[], { forward: parts }) => instantiate(parts as Subgraph, all),
    },
  }
  return makeNode(def, [...given, ...captured], { forward: body }, options.name).outputs[0]!
}
