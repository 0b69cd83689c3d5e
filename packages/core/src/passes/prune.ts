// Cuts what a graph waits for without need: edges that order nothing, and nodes that stand between others only to be waited for.
import { effectsOf, isPure } from '../graph/effects.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { rewrite, toposort } from '../graph/graph.ts'
import { hasEffectsBefore, predecessors } from './cone.ts'
import type { Note, Pass } from './pass.ts'

/** Ancestors looked at before a control edge is taken to be needed. */
const maxSearch = 64

/**
 * Removes control edges that do nothing (nothing before them has an effect, they are there twice, or an input waits for the same already), and
 * replaces edges to nodes of which only the end matters (groups, values that nobody reads) by edges to what those wait for, unless
 * that makes more edges.
 */
export const prune: Pass = {
  name: 'prune',
  run(graph: Graph, note?: Note): Graph {
    const order = toposort(graph)
    const hollow = hollowNodes(graph, order)
    const waiting = countWaiting(order)
    // What stands for a hollow node: found once, for all that wait for it.
    const known = new Map<Node, readonly Node[]>()
    const replaced = (node: Node): readonly Node[] => {
      if (!hollow.has(node)) return [node]
      let found = known.get(node)
      if (!found) {
        const before = distinct(predecessors(node).filter(hasEffectsBefore).flatMap(replaced))
        const [inEdges, outEdges] = [before.length, waiting.get(node) ?? 0]
        found = inEdges * outEdges <= inEdges + outEdges ? before : [node]
        known.set(node, found)
        if (!found.includes(node))
          note?.(node, 'nobody reads it, and what it waits for can be waited for instead')
      }
      return found
    }
    // Inputs first, so that no chain of hollow nodes is ever walked deep.
    order.forEach(replaced)
    const control = new Map<Node, readonly Node[]>()
    for (const node of order) {
      const wanted = distinct(node.control.filter(hasEffectsBefore).flatMap(replaced))
      const kept = wanted.filter((earlier) => !isImplied(node, earlier, wanted))
      if (kept.length !== node.control.length || kept.some((n, i) => n !== node.control[i]))
        control.set(node, kept)
    }
    return control.size === 0 ? graph : withControl(graph, control)
  },
}

const distinct = (nodes: readonly Node[]): Node[] => [...new Set(nodes)]

/** Nodes that others only wait for, and that do nothing themselves but wait and read. */
function hollowNodes(graph: Graph, order: readonly Node[]): Set<Node> {
  const read = new Set<Node>([
    ...graph.fetches.map((t) => t.node),
    ...graph.targets,
    ...order.flatMap((n) => n.inputs.map((t) => t.node)),
  ])
  return new Set(order.filter((node) => !read.has(node) && (isPure(node) || onlyReadsVariables(node))))
}

function onlyReadsVariables(node: Node): boolean {
  const { reads, writes, external } = effectsOf(node)
  return !external && writes.size === 0 && [...reads].every((r) => r.kind === 'variable')
}

function countWaiting(order: readonly Node[]): Map<Node, number> {
  const count = new Map<Node, number>()
  for (const node of order)
    for (const earlier of node.control) count.set(earlier, (count.get(earlier) ?? 0) + 1)
  return count
}

/** Does something else that the node needs come after `earlier` anyway? Looks only so far. */
function isImplied(node: Node, earlier: Node, control: readonly Node[]): boolean {
  const stack = [...node.inputs.map((t) => t.node), ...control.filter((n) => n !== earlier)]
  if (node.inputs.some((t) => t.node === earlier)) return true
  const seen = new Set<Node>()
  for (let next = stack.pop(); next && seen.size < maxSearch; next = stack.pop()) {
    // Nodes are numbered after their inputs: what is older than `earlier` cannot come after it.
    if (seen.has(next) || next.id <= earlier.id) continue
    seen.add(next)
    const before = predecessors(next)
    if (before.includes(earlier)) return true
    stack.push(...before)
  }
  return false
}

/** The graph with other control edges on some nodes; edges name nodes of the old graph. */
function withControl(graph: Graph, control: ReadonlyMap<Node, readonly Node[]>): Graph {
  const now = new Map<Node, Node>()
  return rewrite(graph, (node, original) => {
    const wanted = control.get(original)
    const changed = wanted ? node.with({ control: wanted.map((n) => now.get(n) ?? n) }) : node
    now.set(original, changed)
    return changed
  })
}
