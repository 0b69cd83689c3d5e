// The order of reads and writes: a read comes before the writes of its run unless it waits for one; writes keep their order.
import type { AnyResource } from '../resource.ts'
import { effectsOf } from '../graph/effects.ts'
import type { Node } from '../graph/graph.ts'
import { orderBy } from './order.ts'

const predecessors = (node: Node): Node[] => [...node.inputs.map((t) => t.node), ...node.control]

/** Effects on variables in the order in which they happen. */
export interface EffectOrder {
  readonly nodes: readonly Node[]
  /** What must come before a node because of resources that both touch. */
  readonly before: ReadonlyMap<Node, readonly Node[]>
}

/** Orders nodes so that every read of a variable sees what the rule above says. */
export function orderEffects(nodes: readonly Node[]): EffectOrder {
  const isWrite = (node: Node): boolean => [...effectsOf(node).writes].some((r) => r.kind === 'variable')
  if (!nodes.some(isWrite)) return { nodes, before: new Map() }
  const extra = new Map<Node, Node[]>()
  const before = (node: Node): Node[] => [...predecessors(node), ...(extra.get(node) ?? [])]
  let order = orderBy(nodes, before, { late: isWrite })
  for (let strays = strayReads(order, before); strays.length > 0; strays = strayReads(order, before)) {
    for (const [read, write] of strays) extra.set(write, [...(extra.get(write) ?? []), read])
    order = orderBy(nodes, before, { late: isWrite })
  }
  return { nodes: order, before: chains(order) }
}

/** Reads that come after a write although they do not depend on it. */
function strayReads(order: readonly Node[], before: (node: Node) => Node[]): [read: Node, write: Node][] {
  const written = new Map<AnyResource, Node[]>()
  const strays: [Node, Node][] = []
  for (const node of order) {
    const { reads, writes } = effectsOf(node)
    for (const r of reads)
      for (const write of written.get(r) ?? [])
        if (!writes.has(r) && !dependsOn(node, write, before)) strays.push([node, write])
    for (const r of writes) if (r.kind === 'variable') written.set(r, [...(written.get(r) ?? []), node])
  }
  return strays
}

function dependsOn(node: Node, on: Node, before: (node: Node) => Node[]): boolean {
  const seen = new Set<Node>()
  const stack = before(node)
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (next === on) return true
    // Inputs are older than their readers, so nothing older than `on` leads to it, but for edges added here.
    if (seen.has(next)) continue
    seen.add(next)
    stack.push(...before(next))
  }
  return false
}

/** Each write after the effects before it, each read after the last write. */
function chains(order: readonly Node[]): Map<Node, Node[]> {
  const before = new Map<Node, Node[]>()
  const lastWrite = new Map<AnyResource, Node>()
  const readsSince = new Map<AnyResource, Node[]>()
  const add = (node: Node, earlier: readonly Node[]): void => {
    if (earlier.length > 0) before.set(node, [...(before.get(node) ?? []), ...earlier])
  }
  for (const node of order) {
    const { reads, writes } = effectsOf(node)
    for (const r of new Set([...reads, ...writes])) {
      const last = lastWrite.get(r)
      if (last) add(node, [last])
      if (writes.has(r)) {
        add(node, readsSince.get(r) ?? [])
        lastWrite.set(r, node)
        readsSince.set(r, [])
      } else readsSince.set(r, [...(readsSince.get(r) ?? []), node])
    }
  }
  return before
}
