// Specialises a graph to one run: feeds take the place of what they feed, names of sizes become numbers.
import type { AttrValue } from '../attr.ts'
import type { ShoalError } from '../errors.ts'
import { DTypeError, MissingFeedError, ShapeError } from '../errors.ts'
import type { Graph, Node, Subgraph, Tensor } from '../graph/graph.ts'
import { isSubgraph } from '../graph/graph.ts'
import { substitute } from '../graph/substitute.ts'
import { makeNode } from '../op.ts'
import { parameter } from '../ops/graph/parameter.ts'
import { placeholder } from '../ops/graph/placeholder.ts'
import { isListOfSubgraphs } from '../passes/pass.ts'
import type { Binding, ConcreteType, Shape, TensorType } from '../shape.ts'
import { bindShape, formatShape, isConcrete, unknown } from '../shape.ts'

/** A graph whose sizes are numbers, and the placeholders that its feeds go to, in the order of the feeds. */
export interface BoundGraph {
  readonly graph: Graph
  readonly feeds: readonly Tensor[]
}

/**
 * Binds a graph to feeds of known types.
 * @throws ShapeError or DTypeError when a feed does not fit, MissingFeedError when a placeholder stays empty.
 */
export function bind(graph: Graph, feeds: ReadonlyMap<Tensor, ConcreteType>): BoundGraph {
  const binding: Binding = new Map()
  const replaced = new Map<Tensor, Tensor>()
  for (const [tensor, type] of feeds) {
    checkFeed(tensor, type, binding)
    const fed = makeNode(placeholder.def, [], { shape: type.shape, dtype: type.dtype }, tensor.name)
    replaced.set(tensor, fed.outputs[0]!)
  }
  return {
    graph: substitute(graph, replaced, (...args) => specialise(binding, ...args)),
    feeds: [...replaced.values()],
  }
}

function checkFeed(tensor: Tensor, type: ConcreteType, binding: Binding): void {
  if (type.dtype !== tensor.dtype)
    throw new DTypeError(`is ${tensor.dtype}, fed with ${type.dtype}: cast the array`, { node: tensor.node })
  try {
    bindShape(tensor.shape, type.shape, binding)
  } catch (error) {
    throw new ShapeError((error as ShoalError).message, { node: tensor.node, cause: error })
  }
}

function specialise(binding: Binding, node: Node, inputs: readonly Tensor[], control: readonly Node[]): Node {
  const { body } = node.op
  if (body.kind === 'runtime' && body.role === 'feed')
    throw new MissingFeedError(
      `was not fed, and the fetches need it: feed ${node.outputs[0]!.dtype}${formatShape(node.outputs[0]!.shape)}`,
      { node },
    )
  const attrs = specialiseAttrs(binding, node, inputs)
  const same =
    attrs === node.attrs &&
    inputs.every((t, i) => t === node.inputs[i]) &&
    control.length === node.control.length &&
    control.every((n, i) => n === node.control[i]) &&
    node.outputs.every((t) => isConcrete(t.shape))
  return same ? node : node.with({ inputs, control, attrs })
}

function specialiseAttrs(binding: Binding, node: Node, inputs: readonly Tensor[]): Node['attrs'] {
  let changed = false
  const attrs: Record<string, AttrValue> = { ...node.attrs }
  for (const [key, { kind }] of Object.entries(node.op.attrs)) {
    const value = attrs[key]
    if (kind !== 'shape' || value === undefined || isConcrete(value as Shape)) continue
    changed = true
    attrs[key] = (value as Shape).map((d) => {
      if (typeof d === 'number' || d === unknown) return d
      const size = binding.get(d)
      if (size === undefined)
        throw new ShapeError(`no feed says how large '${d}' is: feed a tensor whose shape names it`, { node })
      return size
    })
  }
  if (!node.op.subgraphs) return changed ? attrs : node.attrs
  const types = node.op.subgraphs(
    inputs.map((t) => t.type),
    attrs,
  )
  for (const [key, bodies] of Object.entries(types)) {
    const value = attrs[key]
    if (isSubgraph(value)) attrs[key] = bindSubgraph(binding, value, bodies[0]!)
    else if (isListOfSubgraphs(value))
      attrs[key] = value.map((body, i) => bindSubgraph(binding, body, bodies[i]!))
  }
  return attrs
}

function bindSubgraph(binding: Binding, body: Subgraph, types: readonly TensorType[]): Subgraph {
  const params = body.params.map((t, i) => {
    const type = types[i]!
    return type.shape.every((d, axis) => d === t.shape[axis])
      ? t
      : parameter({ index: i, shape: type.shape, dtype: type.dtype, name: t.name })
  })
  const replaced = new Map(body.params.map((t, i) => [t, params[i]!]))
  return { ...substitute(body, replaced, (...args) => specialise(binding, ...args)), params }
}
