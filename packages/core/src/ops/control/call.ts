// Graph functions: a graph with parameters under a name, called as often as one likes; compilation puts its body in the place of each call.
import { DTypeError, GraphError, ShapeError } from '../../errors.ts'
import type { Subgraph, Tensor } from '../../graph/graph.ts'
import { detached } from '../../graph/scope.ts'
import { withParameters, withSizes } from '../../graph/sizes.ts'
import type { Rebuild } from '../../graph/substitute.ts'
import type { AnyOp, GradContext } from '../../op.ts'
import { attr, defineOp, makeNode } from '../../op.ts'
import type { Dim, Shape, TensorType } from '../../shape.ts'
import { formatShape, mergeDim, mergeShapes, unknown } from '../../shape.ts'
import { gradients } from '../../autodiff/gradients.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { identity } from '../graph/identity.ts'
import { atIndices, floatIndices } from './differentiable.ts'
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
    // Arguments may be one tensor, or made of each other: nodes of their own stand for them.
    const inner = inputs.map((t) => identity(t))
    const results = instantiate(body, inner)
    const given = dys.flatMap((dy, i) => (dy ? [{ dy, i }] : []))
    const sources = floatIndices(inputs)
    const found = gradients(
      given.map(({ i }) => results[i]!),
      sources.map((i) => inner[i]!),
      { seeds: given.map(({ dy }) => dy) },
    )
    return atIndices(inputs, sources, found)
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
    bodies: [traced],
    capture,
  } = close(trace(types, build))
  const bound = new Map<string, Subgraph>()
  return (...args) => {
    if (args.length !== types.length)
      throw new GraphError(`function '${name}' takes ${types.length} arguments, got ${args.length}`)
    const tensors = args.map((value, i) => toTensor(value, types[i]!.dtype))
    const sizes = new Map<string, Dim>()
    tensors.forEach((t, i) => {
      const what = `argument ${i} of function '${name}'`
      if (t.dtype !== types[i]!.dtype)
        throw new DTypeError(`${what} is ${t.dtype}, it takes ${types[i]!.dtype}: cast it`)
      bindSizes(types[i]!.shape, t.shape, sizes, what)
    })
    const inputs = [...tensors, ...capture()]
    const key = inputs.map((t) => formatShape(t.shape)).join()
    const body = bound.get(key) ?? bindBody(name, traced!, inputs, sizes)
    bound.set(key, body)
    return makeNode(callOp.def, inputs, { function: body, called: name }, name).outputs
  }
}

/** Gives the names of sizes in `declared` the sizes of an argument, which may be names of the caller. @throws ShapeError when they do not fit. */
function bindSizes(declared: Shape, actual: Shape, sizes: Map<string, Dim>, what: string): void {
  mergeShapes(declared, actual, what)
  declared.forEach((d, axis) => {
    if (typeof d !== 'string' || d === unknown) return
    const known = sizes.get(d)
    const size = actual[axis]!
    sizes.set(d, known === undefined ? size : mergeDim(known, size, `${what}: '${d}' has two sizes`))
  })
}

/** The body for arguments of the given types: names of its parameters' sizes are its own, and mean nothing to the caller. */
function bindBody(
  name: string,
  body: Subgraph,
  inputs: readonly Tensor[],
  sizes: ReadonlyMap<string, Dim>,
): Subgraph {
  const sizeOf = (size: string): Dim => {
    const known = sizes.get(size) ?? size
    if (known === unknown)
      throw new ShapeError(
        `function '${name}' makes a tensor of size '${size}', and its argument has a size that only a run can tell: make it like the argument (zerosLike, fillLike)`,
      )
    return known
  }
  const rebuild: Rebuild = (...args) => withSizes(...args, sizeOf, rebuild)
  return detached(() =>
    withParameters(
      body,
      inputs.map((t) => t.type),
      rebuild,
    ),
  )
}
