// What holds for every graph: passes, importers and tests check it after each change.
import type { AttrValue } from '../attr.ts'
import { GraphError, label } from '../errors.ts'
import type { AnyResource } from '../resource.ts'
import { isResource } from '../resource.ts'
import type { TensorType } from '../shape.ts'
import { compatible, formatType } from '../shape.ts'
import type { Graph, Node, Subgraph, Tensor } from './graph.ts'
import { isSubgraph, toposort } from './graph.ts'

/**
 * Checks a graph and all bodies in it: no cycle, every input an output of its node, types as inference answers them, no resource name used for
 * two resources (but random streams, which are numbered later), parameters of bodies complete and of the types that are passed to them, no node both inside and outside of a body.
 * @throws GraphError, naming the node.
 */
export function verify(graph: Graph): void {
  verifyLevel(graph, [], new Set(), new Map())
}

function verifyLevel(
  graph: Graph,
  params: readonly Tensor[],
  outside: ReadonlySet<Node>,
  resources: Map<string, AnyResource>,
): void {
  const nodes = toposort({ fetches: [...params, ...graph.fetches], targets: graph.targets })
  const around = new Set([...outside, ...nodes])
  graph.fetches.forEach((t) => checkTensor(t, t.node))
  for (const node of nodes) {
    if (outside.has(node)) throw new GraphError('stands both inside and outside of a body', { node })
    if (
      node.op.body.kind === 'runtime' &&
      node.op.body.role === 'parameter' &&
      !params.some((t) => t.node === node)
    )
      throw new GraphError('is a parameter of no body around it', { node })
    node.inputs.forEach((t) => checkTensor(t, node))
    checkTypes(node)
    for (const value of Object.values(node.attrs))
      if (isResource(value)) checkResource(value, node, resources)
    checkBodies(node, around, resources)
  }
}

function checkTensor(t: Tensor, reader: Node): void {
  if (t.node.outputs[t.index] !== t)
    throw new GraphError(`reads output ${t.index} of ${label(t.node)}, which is none of its outputs`, {
      node: reader,
    })
}

function checkTypes(node: Node): void {
  const inferred = node.op.infer(
    node.inputs.map((t) => t.type),
    node.attrs,
  )
  const show = (types: readonly TensorType[]): string => types.map(formatType).join(', ') || 'nothing'
  const stated = node.outputs.map((t) => t.type)
  if (show(inferred) !== show(stated))
    throw new GraphError(`states outputs ${show(stated)} where inference answers ${show(inferred)}`, { node })
}

function checkResource(resource: AnyResource, node: Node, resources: Map<string, AnyResource>): void {
  const other = resources.get(resource.name)
  if (other && other !== resource && !(other.kind === 'random' && resource.kind === 'random'))
    throw new GraphError(`two resources are named '${resource.name}': give one of them another name`, {
      node,
    })
  resources.set(resource.name, resource)
}

function checkBodies(node: Node, around: ReadonlySet<Node>, resources: Map<string, AnyResource>): void {
  const held = Object.entries(node.attrs).flatMap(([key, value]) =>
    bodiesIn(value).map((body, i) => ({ key, i, body })),
  )
  if (held.length === 0) return
  const passed = node.op.subgraphs?.(
    node.inputs.map((t) => t.type),
    node.attrs,
  )
  for (const { key, i, body } of held) {
    const types = passed?.[key]?.[i]
    if (!types) throw new GraphError(`holds a body '${key}' that its op does not know`, { node })
    if (types.length !== body.params.length)
      throw new GraphError(
        `passes ${types.length} values to body '${key}', which has ${body.params.length} parameters`,
        { node },
      )
    body.params.forEach((param, k) => checkParameter(node, param, k, types[k]!, key))
    verifyLevel(body, body.params, around, resources)
  }
}

function checkParameter(node: Node, param: Tensor, index: number, passed: TensorType, body: string): void {
  if (param.node.attrs['index'] !== index)
    throw new GraphError(`parameter ${index} of body '${body}' says that it is another`, { node })
  const fits =
    param.dtype === passed.dtype &&
    param.rank === passed.shape.length &&
    param.shape.every((d, axis) => compatible(d, passed.shape[axis]!))
  if (!fits)
    throw new GraphError(
      `parameter ${index} of body '${body}' is ${formatType(param.type)} and is passed ${formatType(passed)}`,
      { node },
    )
}

const bodiesIn = (value: AttrValue): readonly Subgraph[] =>
  isSubgraph(value)
    ? [value]
    : Array.isArray(value) && value.length > 0 && value.every(isSubgraph)
      ? (value as readonly Subgraph[])
      : []
