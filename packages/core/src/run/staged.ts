// Graphs with sizes that only a run can tell: they run in stages, and each stage is compiled when its sizes are known.
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { substitute } from '../graph/substitute.ts'
import type { BoundGraph } from '../compile/bind.ts'
import { orderEffects } from '../compile/effects.ts'
import type { NDArray } from '../ndarray.ts'
import { isConcrete } from '../shape.ts'
import { after } from './awaitable.ts'
import type { Awaitable } from './device.ts'

/** A graph whose first stage can be compiled, while the rest waits for sizes. */
export interface StagedGraph {
  readonly kind: 'staged'
  /** Placeholders of the feeds, in order. */
  readonly feeds: readonly Tensor[]
  /** What can run at once: everything that the rest reads of it, and its effects. */
  readonly first: Graph
  readonly rest: Graph
}

/** Is this compilation a staged graph? */
export const isStaged = (compiled: object): compiled is StagedGraph =>
  'kind' in compiled && compiled.kind === 'staged'

/**
 * Cuts a bound graph behind the nodes whose output sizes are unknown; undefined when nothing reads such an output, so that one stage is enough.
 * Reads and writes of variables keep the order that they have in the whole graph: a write that comes after a late read is late too.
 */
export function cutStages({ graph, feeds }: BoundGraph): StagedGraph | undefined {
  const nodes = toposort(graph)
  const waitsForSize = (node: Node): boolean => node.inputs.some((t) => !isConcrete(t.shape))
  if (!nodes.some(waitsForSize)) return undefined
  const effects = orderEffects(nodes)
  const late = new Set<Node>()
  for (const node of effects.nodes) {
    const earlier = [...node.inputs.map((t) => t.node), ...node.control, ...(effects.before.get(node) ?? [])]
    if (waitsForSize(node) || earlier.some((n) => late.has(n))) late.add(node)
  }
  const crossing = new Set<Tensor>()
  for (const node of late) node.inputs.forEach((t) => !late.has(t.node) && crossing.add(t))
  graph.fetches.forEach((t) => !late.has(t.node) && crossing.add(t))
  const early = graph.targets.filter((n) => !late.has(n))
  // What late nodes only wait for has to run too, but only once.
  const waitedFor = [...late].flatMap((n) => n.control.filter((c) => !late.has(c)))
  return {
    kind: 'staged',
    feeds,
    first: { fetches: [...crossing], targets: [...new Set([...early, ...waitedFor])] },
    rest: withoutEarly({ fetches: graph.fetches, targets: graph.targets.filter((n) => late.has(n)) }, late),
  }
}

/** The late part without edges to nodes that have run already; those stay what they are, for their values to be fed. */
function withoutEarly(graph: Graph, late: ReadonlySet<Node>): Graph {
  return substitute(graph, new Map(), (node, inputs, control) => {
    if (!late.has(node)) return node
    const kept = control.filter((_, i) => late.has(node.control[i]!))
    return node.on(inputs, kept)
  })
}

/** Runs the stages one after the other; what the first one made is fed to the rest. */
export function runStaged(
  { feeds, first, rest }: StagedGraph,
  given: ReadonlyMap<Tensor, NDArray>,
  run: (graph: Graph, feeds: ReadonlyMap<Tensor, NDArray>) => Awaitable<NDArray[]>,
): Awaitable<NDArray[]> {
  const values = [...given.values()]
  const fed = new Map(feeds.map((t, i) => [t, values[i]!]))
  return after(run(first, fed), (made) => run(rest, new Map(first.fetches.map((t, i) => [t, made[i]!]))))
}
