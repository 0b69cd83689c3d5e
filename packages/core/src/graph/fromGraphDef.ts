// Reads a GraphDef from anywhere: every part of it is checked before anything is made of it.
import type { AttrKind, AttrValue } from '../attr.ts'
import { GraphDefError } from '../errors.ts'
import type { AnyOp, OpDef } from '../op.ts'
import { makeNode } from '../op.ts'
import { standardOps } from '../ops/standardOps.ts'
import type { AnyResource, VariableResource, VariableSlice } from '../resource.ts'
import { mergeShapes } from '../shape.ts'
import { graphDefFormat, graphDefVersion } from './def.ts'
import type { GraphDefLimits } from './defReader.ts'
import { defaultLimits, Place } from './defReader.ts'
import type { Graph, Node, Subgraph, Tensor } from './graph.ts'
import { verify } from './verify.ts'

/** What was read. */
export interface LoadedGraph {
  readonly graph: Graph
  /** The fetches by the names that they were written under. */
  readonly fetches: ReadonlyMap<string, Tensor>
  /** The nodes of the graph by name; those of bodies are not among them. */
  readonly nodes: ReadonlyMap<string, Node>
  /** Variables, queues and all other state by name. */
  readonly resources: ReadonlyMap<string, AnyResource>
}

/**
 * The graph of a GraphDef.
 * @param json a parsed document, or its text.
 * @param options.ops the ops that it may use; default all standard ones.
 * @param options.limits how much it may hold, see GraphDefLimits.
 * @throws GraphDefError, naming the place, for anything that is not a whole and sound GraphDef of this version.
 */
export function fromGraphDef(
  json: unknown,
  options: { readonly ops?: readonly AnyOp[]; readonly limits?: Partial<GraphDefLimits> } = {},
): LoadedGraph {
  const limits = { ...defaultLimits, ...options.limits }
  const document = new Place(typeof json === 'string' ? parse(json, limits) : json, '')
  const format = document.at('format')
  if (format.value !== graphDefFormat) throw format.wrong(`must be '${graphDefFormat}'`)
  const version = document.at('version')
  if (version.value !== graphDefVersion)
    throw version.wrong(`must be ${graphDefVersion}: this release reads no other version`)
  const declared = document.at('resources').list()
  const resources = readResources(declared)
  const loader = new Loader(
    new Map((options.ops ?? standardOps).map(({ def }) => [def.name, def])),
    resources,
    limits,
  )
  const { body, nodes, tensor } = loader.body(document.at('graph'), 0)
  setInitials(declared, resources, tensor)
  const names = document.at('fetchNames')
  const fetchNames = names.list().map((name) => name.text())
  if (fetchNames.length !== body.fetches.length)
    throw names.wrong(`must have one name for each of ${body.fetches.length} fetches`)
  if (new Set(fetchNames).size !== fetchNames.length) throw names.wrong('must not name two fetches alike')
  const graph: Graph = { fetches: body.fetches, targets: body.targets }
  attempt(document.at('graph'), () => verify(graph))
  return { graph, fetches: new Map(fetchNames.map((name, i) => [name, body.fetches[i]!])), nodes, resources }
}

function parse(text: string, limits: GraphDefLimits): unknown {
  // Base64 takes four characters for three bytes; the rest is what nodes take.
  if (text.length > limits.maxBytes * 2)
    throw new GraphDefError(`the document has ${text.length} characters, more than ${limits.maxBytes * 2}`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new GraphDefError('the document is not JSON', { cause })
  }
}

/** What goes wrong in making a part of the graph is an error of the place that asked for it. */
function attempt<T>(place: Place, make: () => T): T {
  try {
    return make()
  } catch (error) {
    if (error instanceof GraphDefError) throw error
    throw place.wrong(
      `does not hold together: ${error instanceof Error ? error.message : String(error)}`,
      error,
    )
  }
}

function readResources(declared: readonly Place[]): Map<string, AnyResource> {
  const resources = new Map<string, AnyResource>()
  for (const place of declared) {
    const resource = readResource(place)
    if (resources.has(resource.name)) throw place.at('name').wrong(`is '${resource.name}' a second time`)
    resources.set(resource.name, resource)
  }
  return resources
}

function readResource(place: Place): AnyResource {
  const name = place.at('name').text()
  const kind = place.at('kind').text()
  switch (kind) {
    case 'variable':
      return {
        kind,
        name,
        type: place.at('type').type(),
        trainable: place.at('trainable').bool(),
        ...(place.at('slice').present && { slice: readSlice(place.at('slice')) }),
      }
    case 'queue': {
      const shuffle = place.at('shuffle')
      const capacity = place.at('capacity').whole(1)
      return {
        kind,
        name,
        types: place
          .at('types')
          .list()
          .map((type) => type.type()),
        capacity,
        ...(shuffle.present && {
          shuffle: {
            seed: shuffle.at('seed').number(),
            minAfterDequeue: shuffle.at('minAfterDequeue').whole(0),
          },
        }),
      }
    }
    case 'mutex':
      return { kind, name }
    case 'random':
      return { kind, name, seed: place.at('seed').number() }
    case 'accumulator':
      return {
        kind,
        name,
        types: place
          .at('types')
          .list()
          .map((type) => {
            const rows = type.at('rows')
            return { ...type.type(), ...(rows.present && { rows: rows.whole(0) }) }
          }),
        count: place.at('count').whole(1),
        held: place.at('held').bool(),
      }
    case 'progress':
      return { kind, name, members: place.at('members').whole(1) }
    default:
      throw place.at('kind').wrong('must be one of variable, queue, mutex, random, accumulator, progress')
  }
}

const readSlice = (place: Place): VariableSlice => ({
  of: place.at('of').text(),
  rows: place.at('rows').whole(1),
  start: place.at('start').whole(0),
  stride: place.at('stride').whole(1),
})

/** Variables come before the nodes that read them, their initial values are such nodes: so they are set last. */
function setInitials(
  declared: readonly Place[],
  resources: ReadonlyMap<string, AnyResource>,
  tensor: (place: Place) => Tensor,
): void {
  for (const place of declared) {
    const initial = place.at('initial')
    if (!initial.present) continue
    const resource = resources.get(place.at('name').text())!
    if (resource.kind !== 'variable') throw initial.wrong('belongs to variables only')
    const value = tensor(initial)
    if (value.dtype !== resource.type.dtype)
      throw initial.wrong(`is ${value.dtype} where the variable is ${resource.type.dtype}`)
    attempt(initial, () => mergeShapes(value.shape, resource.type.shape))
    ;(resource as { -readonly [K in keyof VariableResource]: VariableResource[K] }).initial = value
  }
}

/** Makes nodes, counting what they take. */
class Loader {
  private readonly ops: ReadonlyMap<string, OpDef>
  private readonly resources: ReadonlyMap<string, AnyResource>
  private readonly limits: GraphDefLimits
  private nodes = 0
  private bytes = 0

  constructor(
    ops: ReadonlyMap<string, OpDef>,
    resources: ReadonlyMap<string, AnyResource>,
    limits: GraphDefLimits,
  ) {
    this.ops = ops
    this.resources = resources
    this.limits = limits
  }

  body(
    place: Place,
    depth: number,
  ): { body: Subgraph; nodes: ReadonlyMap<string, Node>; tensor: (place: Place) => Tensor } {
    if (depth > this.limits.maxDepth) throw place.wrong(`lies deeper than ${this.limits.maxDepth} bodies`)
    const defs = place.at('nodes').list()
    this.nodes += defs.length
    if (this.nodes > this.limits.maxNodes)
      throw place
        .at('nodes')
        .wrong(`brings the graph to ${this.nodes} nodes, more than ${this.limits.maxNodes}`)
    const all = new Set<string>()
    for (const def of defs) {
      const name = def.at('name').text()
      if (all.has(name)) throw def.at('name').wrong(`is '${name}', which an earlier node has`)
      all.add(name)
    }
    const made = new Map<string, Node>()
    const node = (at: Place, name: string): Node => {
      const found = made.get(name)
      if (found) return found
      throw at.wrong(
        all.has(name)
          ? `refers to '${name}', which comes later: nodes come after what they need, and no node needs itself`
          : `refers to '${name}', which is no node`,
      )
    }
    const tensor = (at: Place): Tensor => {
      const [, name, index] = /^(.*):(\d+)$/s.exec(at.text()) ?? []
      if (name === undefined) throw at.wrong("must be 'name:index'")
      const outputs = node(at, name).outputs
      const output = outputs[Number(index)]
      if (!output) throw at.wrong(`refers to output ${index} of '${name}', which has ${outputs.length}`)
      return output
    }
    for (const def of defs) made.set(def.at('name').text(), this.node(def, node, tensor, depth))
    const body: Subgraph = {
      params: place.at('params').optionalList().map(tensor),
      fetches: place.at('fetches').list().map(tensor),
      targets: place
        .at('targets')
        .list()
        .map((target) => node(target, target.text())),
    }
    return { body, nodes: made, tensor }
  }

  private node(
    def: Place,
    node: (at: Place, name: string) => Node,
    tensor: (at: Place) => Tensor,
    depth: number,
  ): Node {
    const name = def.at('name').text()
    const op = this.ops.get(def.at('op').text())
    if (!op) throw def.at('op').wrong(`is '${def.at('op').text()}', which is not among the ops given`)
    const inputs = def.at('inputs').optionalList().map(tensor)
    const control = def
      .at('control')
      .optionalList()
      .map((at) => {
        if (!at.text().startsWith('^')) throw at.wrong("must be '^name'")
        return node(at, at.text().slice(1))
      })
    const device = def.at('device').present ? def.at('device').text() : ''
    const attrs = this.attrs(def.at('attrs'), op, depth)
    // What surrounds this call is no part of the document, so every option is set.
    return attempt(def, () => makeNode(op, inputs, attrs).with({ name, control, device }))
  }

  private attrs(place: Place, op: OpDef, depth: number): Record<string, AttrValue> {
    if (!place.present) return {}
    const attrs: Record<string, AttrValue> = {}
    for (const key of Object.keys(place.object())) {
      if (!Object.hasOwn(op.attrs, key)) throw place.at(key).wrong(`is no attribute of ${op.name}`)
      attrs[key] = this.attr(place.at(key), op.attrs[key]!.kind, depth)
    }
    return attrs
  }

  private attr(place: Place, kind: AttrKind, depth: number): AttrValue {
    switch (kind) {
      case 'int':
      case 'float':
        return place.number()
      case 'bool':
        return place.bool()
      case 'text':
        return place.text()
      case 'ints':
      case 'floats':
        return place.list().map((item) => item.number())
      case 'texts':
        return place.list().map((item) => item.text())
      case 'dtype':
        return place.dtype()
      case 'shape':
        return place.shape()
      case 'array':
        return place.array((bytes, at) => this.charge(bytes, at))
      case 'graph':
        return this.body(place, depth + 1).body
      case 'graphs':
        return place.list().map((item) => this.body(item, depth + 1).body)
      case 'resource': {
        const resource = this.resources.get(place.text())
        if (!resource) throw place.wrong(`refers to '${place.text()}', which is not among the resources`)
        return resource
      }
      default:
        return kind satisfies never
    }
  }

  private charge(bytes: number, place: Place): void {
    this.bytes += bytes
    if (this.bytes > this.limits.maxBytes)
      throw place.wrong(`brings the arrays to ${this.bytes} bytes, more than ${this.limits.maxBytes}`)
  }
}
