// A pass answers an equal graph that costs less or says more plainly what is to be done.
import type { AttrValue } from '../attr.ts'
import type { Graph, Node, Subgraph } from '../graph/graph.ts'
import { isSubgraph, rewrite, toposort } from '../graph/graph.ts'

/** Told of every node that a pass takes out or replaces, and why. */
export type Note = (node: Node, why: string) => void

/** One step from graph to graph. The same object means that there was nothing to do. */
export interface Pass {
  readonly name: string
  run(graph: Graph, note?: Note): Graph
}

/** Passes in order as one pass; bodies of control flow go through it before the graph that holds them. */
export const pipeline = (...passes: readonly Pass[]): Pass => ({
  name: passes.map((p) => p.name).join(', '),
  run: (graph, note) => passes.reduce((g, pass) => runDeep(pass, g, note), graph),
})

/**
 * Passes in order, again and again until none of them finds anything to do.
 * @param options.maxRounds give up looking for more after so many rounds; default 16.
 */
export const repeated = (
  passes: readonly Pass[],
  { maxRounds = 16 }: { readonly maxRounds?: number } = {},
): Pass => {
  return {
    name: `repeated(${pipeline(...passes).name})`,
    run(graph, note) {
      let current = graph
      // The end is where every pass has seen the graph, which need not be that of a round.
      let unchanged = 0
      for (let i = 0; i < maxRounds * passes.length && unchanged < passes.length; i++) {
        const next = runDeep(passes[i % passes.length]!, current, note)
        unchanged = next === current ? unchanged + 1 : 0
        current = next
      }
      return current
    },
  }
}

/** Runs a pass on every subgraph, innermost first, then on the graph. */
export function runDeep(pass: Pass, graph: Graph, note?: Note): Graph {
  const holdsBodies = toposort(graph).some((node) => node.op.subgraphs)
  const deep = holdsBodies
    ? rewrite(graph, (node) => mapSubgraphs(node, (body) => runDeep(pass, body, note)))
    : graph
  return pass.run(deep, note)
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
