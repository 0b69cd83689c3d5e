// Graph functions: a graph with parameters under a name, called as often as one likes; compilation puts its body in the place of each call.
import { floats } from '../../dtype.ts'
import { GraphError } from '../../errors.ts'
import type { Tensor } from '../../graph/graph.ts'
import type { AnyOp, GradContext } from '../../op.ts'
import { attr, defineOp, makeNode } from '../../op.ts'
import type { TensorType } from '../../shape.ts'
import { mergeShapes } from '../../shape.ts'
import { gradients } from '../../autodiff/gradients.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { close, instantiate, trace } from './subgraph.ts'

const attrs = { function: attr.graph('the body'), called: attr.text('the name of the function') }

const callOp = defineOp({
  name: 'Call',
  doc: 'Calls a graph function.',
  inputs: ['...xs'],
  attrs,
  outputs: 'list',
  infer: (_, { function: body }) => body.fetches.map((t) => t.type),
  subgraphs: (inputs) => ({ function: [inputs] }),
  grad: ({
    inputs,
    dys,
    attrs: { function: body },
  }: GradContext<readonly ['...xs'], typeof attrs>): (Tensor | null)[] => {
    const results = instantiate(body, inputs)
    const given = dys.flatMap((dy, i) => (dy ? [{ dy, i }] : []))
    const sources = inputs.filter((t) => floats.includes(t.dtype))
    const found = gradients(
      given.map(({ i }) => results[i]!),
      sources,
      { seeds: given.map(({ dy }) => dy) },
    )
    return inputs.map((t) => (sources.includes(t) ? found[sources.indexOf(t)]! : null))
  },
  body: { kind: 'runtime', role: 'call' },
})
/** The definition behind `graphFunction`. */
export const callDef: AnyOp = { def: callOp.def }

/** A graph function: called with tensors, it adds one node. */
export type GraphFunction = (...args: readonly TensorLike[]) => readonly Tensor[]

/**
 * Makes a graph function of a JavaScript function, which is traced once for parameters of the given types.
 * @param types sizes may be names: they become those of the arguments.
 */
export function graphFunction(
  name: string,
  types: readonly TensorType[],
  build: (...params: Tensor[]) => readonly TensorLike[],
): GraphFunction {
  const {
    bodies: [body],
    capture,
  } = close(trace(types, build))
  return (...args) => {
    if (args.length !== types.length)
      throw new GraphError(`function '${name}' takes ${types.length} arguments, got ${args.length}`)
    const tensors = args.map((value, i) => toTensor(value, types[i]!.dtype))
    tensors.forEach((t, i) => mergeShapes(types[i]!.shape, t.shape, `argument ${i} of function '${name}'`))
    return makeNode(callOp.def, [...tensors, ...capture()], { function: body, called: name }, name).outputs
  }
}
