// Nodes may share names; what is written down needs one for each.
import type { Node } from './graph.ts'

/** A name for each node, unique among them: its own, numbered where an earlier node has it. */
export function uniqueNames(nodes: Iterable<Node>): ReadonlyMap<Node, string> {
  const list = [...nodes]
  const taken = new Set<string>()
  const next = new Map<string, number>()
  const names = new Map<Node, string>()
  // A number must not take a name that another node has as its own.
  const own = new Set(list.map((node) => node.name))
  for (const node of list) {
    let name = node.name
    for (let i = next.get(node.name) ?? 1; taken.has(name); i++) {
      const numbered = `${node.name}_${i}`
      if (!taken.has(numbered) && !own.has(numbered)) name = numbered
      next.set(node.name, i + 1)
    }
    taken.add(name)
    names.set(node, name)
  }
  return names
}
