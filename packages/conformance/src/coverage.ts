// Which ops a graph really uses: with all that composites and the bodies of control flow are made of.
import type { Graph, Node } from '@shoal/core'
import { expandNode, isConcrete, isSubgraph, toposort } from '@shoal/core'

/** The names of all ops in a graph, before and after opening composites, and in the bodies of control flow. */
export function opsIn(graph: Graph): Set<string> {
  const names = new Set<string>()
  const seen = new Set<Node>()
  const pending: Graph[] = [graph]
  for (let next = pending.pop(); next; next = pending.pop()) {
    for (const node of toposort(next, (n) => !seen.has(n))) {
      seen.add(node)
      names.add(node.op.name)
      pending.push(...Object.values(node.attrs).flat().filter(isSubgraph))
      const open = node.op.body.kind === 'composite' && node.inputs.every((t) => isConcrete(t.shape))
      if (open) pending.push({ fetches: expandNode(node), targets: [] })
    }
  }
  return names
}
