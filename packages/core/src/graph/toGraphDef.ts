// Writes a graph as a GraphDef.
import type { AttrKind, AttrValue } from '../attr.ts'
import { GraphDefError } from '../errors.ts'
import type { NDArray } from '../ndarray.ts'
import type { AnyOp, OpDef } from '../op.ts'
import { standardOps } from '../ops/standardOps.ts'
import { expandNode } from '../passes/expandComposites.ts'
import { StreamNames } from '../passes/streams.ts'
import type { AnyResource } from '../resource.ts'
import { isResource, streamSeed } from '../resource.ts'
import { toBase64 } from './base64.ts'
import type { AttrDef, BodyDef, GraphDef, NodeDef, ResourceDef } from './def.ts'
import { graphDefFormat, graphDefVersion } from './def.ts'
import { bodiesOf } from './effects.ts'
import type { Graph, Node, Subgraph, Tensor } from './graph.ts'
import { rewrite, toposort } from './graph.ts'
import { uniqueNames } from './names.ts'

/**
 * A graph as JSON: all that its fetches and targets need, with the initial values of its variables.
 * @param graph a Graph, or tensors by the names under which the reader shall find them.
 * @param options.ops the ops that the reader will know; default all standard ones. Composites that are not among them are written as their parts.
 * @param options.initialValues false leaves the initial values of variables out, where the reader need not start them. Default true.
 * @throws GraphDefError for ops that can be neither written nor taken apart (host functions), naming the node.
 */
export function toGraphDef(
  graph: Graph | Readonly<Record<string, Tensor>>,
  options: { readonly ops?: readonly AnyOp[]; readonly initialValues?: boolean } = {},
): GraphDef {
  const known = new Map((options.ops ?? standardOps).map(({ def }) => [def.name, def]))
  const given = isGraph(graph) ? graph : { fetches: Object.values(graph), targets: [] }
  const fetchNames = isGraph(graph) ? graph.fetches.map((_, i) => String(i)) : Object.keys(graph)
  const { whole, resources, initials } = withInitials(given, known, options.initialValues ?? true)
  const count = given.fetches.length
  const writer = new BodyWriter(whole, [], known)
  const body = writer.write()
  return {
    format: graphDefFormat,
    version: graphDefVersion,
    resources: resources.map((resource) =>
      writeResource(resource, initials, (t) => writer.refer(t), whole.fetches),
    ),
    graph: { ...body, fetches: body.fetches.slice(0, count) },
    fetchNames,
  }
}

const isGraph = (value: Graph | Readonly<Record<string, Tensor>>): value is Graph =>
  Array.isArray((value as Graph).fetches) && Array.isArray((value as Graph).targets)

/** The graph with the initial values of all its variables as further fetches if they are wanted, foreign composites taken apart. */
function withInitials(given: Graph, known: ReadonlyMap<string, OpDef>, wanted: boolean) {
  const resources: AnyResource[] = []
  const initials = new Map<AnyResource, number>()
  let whole = expandForeign(given, known)
  // Initial values may read variables of their own.
  for (let before = -1; before !== resources.length; ) {
    before = resources.length
    for (const resource of resourcesIn(whole)) {
      if (resources.includes(resource)) continue
      const double = resources.find((r) => r.name === resource.name)
      if (double && !(double.kind === 'random' && resource.kind === 'random'))
        throw new GraphDefError(`two resources are named '${resource.name}': give one of them another name`)
      resources.push(resource)
      if (!wanted || resource.kind !== 'variable' || !resource.initial) continue
      initials.set(resource, whole.fetches.length)
      whole = { ...whole, fetches: [...whole.fetches, resource.initial] }
    }
    whole = expandForeign(whole, known)
  }
  const streams = new StreamNames()
  return {
    whole: streams.apply(whole),
    resources: resources.map((r) => (r.kind === 'random' ? streams.named(r) : r)),
    initials,
  }
}

function resourcesIn(graph: Graph): AnyResource[] {
  const found: AnyResource[] = []
  for (const node of toposort(graph)) {
    found.push(...Object.values(node.attrs).filter(isResource))
    found.push(...bodiesOf(node).flatMap(resourcesIn))
  }
  return found
}

const isKnown = (op: OpDef, known: ReadonlyMap<string, OpDef>): boolean => known.get(op.name) === op

function expandForeign(graph: Graph, known: ReadonlyMap<string, OpDef>): Graph {
  for (let current = graph; ; ) {
    const next = rewrite(current, (node) => (isKnown(node.op, known) ? undefined : expandOne(node)))
    if (next === current) return next
    current = next
  }
}

function expandOne(node: Node): readonly Tensor[] {
  if (node.op.body.kind !== 'composite')
    throw new GraphDefError(
      'its op is not among the ops that can be written; functions of this process have no form outside of it',
      { node },
    )
  try {
    return expandNode(node)
  } catch (error) {
    throw new GraphDefError(
      'its op is not among the ops that can be written, and it cannot be taken apart while sizes are names',
      { node, cause: error },
    )
  }
}

/** Writes the nodes of one graph or body. */
class BodyWriter {
  private readonly graph: Graph
  private readonly params: readonly Tensor[]
  private readonly known: ReadonlyMap<string, OpDef>
  private readonly order: readonly Node[]
  private readonly names: ReadonlyMap<Node, string>

  constructor(graph: Graph, params: readonly Tensor[], known: ReadonlyMap<string, OpDef>) {
    this.graph = graph
    this.params = params
    this.known = known
    this.order = toposort({ fetches: [...params, ...graph.fetches], targets: graph.targets })
    this.names = uniqueNames(this.order)
  }
  write(): BodyDef {
    return {
      nodes: this.order.map((node) => this.writeNode(node)),
      fetches: this.graph.fetches.map((t) => this.refer(t)),
      targets: this.graph.targets.map((node) => this.names.get(node)!),
      ...(this.params.length > 0 && { params: this.params.map((t) => this.refer(t)) }),
    }
  }
  refer(t: Tensor): string {
    return `${this.names.get(t.node)}:${t.index}`
  }
  private writeNode(node: Node): NodeDef {
    const attrs = Object.entries(node.attrs).flatMap(([key, value]): [string, AttrDef][] =>
      value === undefined ? [] : [[key, this.writeAttr(node.op.attrs[key]!.kind, value)]],
    )
    return {
      name: this.names.get(node)!,
      op: node.op.name,
      ...(node.inputs.length > 0 && { inputs: node.inputs.map((t) => this.refer(t)) }),
      ...(node.control.length > 0 && { control: node.control.map((n) => `^${this.names.get(n)}`) }),
      ...(node.device !== '' && { device: node.device }),
      ...(attrs.length > 0 && { attrs: Object.fromEntries(attrs) }),
    }
  }
  private writeAttr(kind: AttrKind, value: AttrValue): AttrDef {
    switch (kind) {
      case 'array':
        return writeArray(value as NDArray)
      case 'graph':
        return this.writeBody(value as Subgraph)
      case 'graphs':
        return (value as readonly Subgraph[]).map((body) => this.writeBody(body))
      case 'resource':
        return (value as AnyResource).name
      case 'int':
      case 'float':
        return writeNumber(value as number)
      case 'ints':
      case 'floats':
        return (value as readonly number[]).map(writeNumber)
      case 'bool':
      case 'text':
      case 'texts':
      case 'dtype':
      case 'shape':
        return value as AttrDef
      default:
        return kind satisfies never
    }
  }
  private writeBody(body: Subgraph): BodyDef {
    return { params: [], ...new BodyWriter(expandBody(body, this.known), body.params, this.known).write() }
  }
}

const expandBody = (body: Subgraph, known: ReadonlyMap<string, OpDef>): Graph =>
  expandForeign({ fetches: body.fetches, targets: body.targets }, known)

// JSON has no infinities, no NaN and no negative zero.
const writeNumber = (x: number): number | string =>
  Number.isFinite(x) && !Object.is(x, -0) ? x : Object.is(x, -0) ? '-0' : String(x)

function writeArray(array: NDArray): AttrDef {
  const { dtype, shape } = array
  if (dtype === 'string') return { dtype, shape, strings: array.data as string[] }
  return { dtype, shape, base64: toBase64(array.bytes) }
}

function writeResource(
  resource: AnyResource,
  initials: ReadonlyMap<AnyResource, number>,
  refer: (t: Tensor) => string,
  fetches: readonly Tensor[],
): ResourceDef {
  const { name } = resource
  switch (resource.kind) {
    case 'variable': {
      const at = initials.get(resource)
      const { type, trainable, slice } = resource
      return {
        kind: 'variable',
        name,
        type,
        trainable,
        ...(slice && { slice }),
        ...(at !== undefined && { initial: refer(fetches[at]!) }),
      }
    }
    case 'queue': {
      const { types, capacity, shuffle } = resource
      return { kind: 'queue', name, types, capacity, ...(shuffle && { shuffle }) }
    }
    case 'accumulator': {
      const { types, count, held } = resource
      return { kind: 'accumulator', name, types, count, held }
    }
    case 'progress':
      return { kind: 'progress', name, members: resource.members }
    case 'mutex':
      return { kind: 'mutex', name }
    case 'random':
      return { kind: 'random', name, seed: streamSeed(resource) }
    default:
      return resource satisfies never
  }
}
