// A pass answers an equal graph that costs less or says more plainly what is to be done.
import type { AttrValue } from '../attr.ts'
import type { Graph, Node, Subgraph } from '../graph/graph.ts'
import { isSubgraph, rewrite } from '../graph/graph.ts'

/** One step from graph to graph. The same object means that there was nothing to do. */
export interface Pass {
  readonly name: string
  run(graph: Graph): Graph
}

/** Passes in order as one pass; bodies of control flow go through it before the graph that holds them. */
export const pipeline = (...passes: readonly Pass[]): Pass => ({
  name: passes.map((p) => p.name).join(', '),
  run: (graph) => passes.reduce((g, pass) => runDeep(pass, g), graph),
})

/** Runs a pass on every subgraph, innermost first, then on the graph. */
export function runDeep(pass: Pass, graph: Graph): Graph {
  return pass.run(rewrite(graph, (node) => mapSubgraphs(node, (body) => runDeep(pass, body))?.outputs))
}

/** The node with its subgraphs replaced; undefined when none changed. Parameters stay as they are. */
export function mapSubgraphs(node: Node, change: (body: Graph) => Graph): Node | undefined {
  if (!node.op.subgraphs) return undefined
  let changed = false
  const mapped = (body: Subgraph): Subgraph => {
    const next = change(body)
    if (next === body) return body
    changed = true
    return { fetches: next.fetches, targets: next.targets, params: body.params }
  }
  const attrs: Record<string, AttrValue> = {}
  for (const [key, value] of Object.entries(node.attrs)) {
    attrs[key] = isSubgraph(value) ? mapped(value) : isListOfSubgraphs(value) ? value.map(mapped) : value
  }
  return changed ? node.with({ attrs }) : undefined
}

/** Is this attribute value a list of bodies? */
export const isListOfSubgraphs = (value: unknown): value is readonly Subgraph[] =>
  Array.isArray(value) && value.length > 0 && value.every(isSubgraph)
