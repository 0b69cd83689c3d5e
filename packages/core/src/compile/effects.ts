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

/**
 * Orders nodes so that every read of a variable sees what the rule above says. Where two reads and two writes contradict each other (each
 * read waits for the write that it should come before), the first write goes first.
 */
export function orderEffects(nodes: readonly Node[]): EffectOrder {
  const isWrite = (node: Node): boolean => writtenBy(node).length > 0
  if (!nodes.some(isWrite)) return { nodes, before: new Map() }
  const readers = new Readers(nodes)
  const order = orderBy(nodes, predecessors, {
    late: isWrite,
    mayGo: (write, done) => !readers.missOut(write, done),
  })
  return { nodes: order, before: chains(order) }
}

const writtenBy = (node: Node): AnyResource[] =>
  [...effectsOf(node).writes].filter((r) => r.kind === 'variable')

/** Who reads what, to hold a write back until the old value was read by all who do not wait for the new one. */
class Readers {
  private readonly nodes: readonly Node[]
  /** Reads that have yet to come; those that came are dropped when they are met. */
  private readonly pending = new Map<AnyResource, Set<Node>>()
  private successors: ReadonlyMap<Node, readonly Node[]> | undefined

  constructor(nodes: readonly Node[]) {
    this.nodes = nodes
    for (const node of nodes) {
      const { reads, writes } = effectsOf(node)
      for (const r of reads) {
        if (writes.has(r)) continue
        const known = this.pending.get(r)
        if (known) known.add(node)
        else this.pending.set(r, new Set([node]))
      }
    }
  }

  /** Is there a read to come of what a write changes, which does not wait for the write? */
  missOut(write: Node, done: (node: Node) => boolean): boolean {
    const waiting = new Set<Node>()
    for (const r of writtenBy(write))
      for (const read of this.pending.get(r) ?? []) {
        if (done(read)) this.pending.get(r)!.delete(read)
        else if (read !== write) waiting.add(read)
      }
    if (waiting.size === 0) return false
    this.successors ??= successorsOf(this.nodes)
    const seen = new Set<Node>([write])
    for (const node of seen) {
      if (waiting.delete(node) && waiting.size === 0) return false
      this.successors.get(node)?.forEach((next) => seen.add(next))
    }
    return true
  }
}

function successorsOf(nodes: readonly Node[]): Map<Node, Node[]> {
  const successors = new Map<Node, Node[]>()
  for (const node of nodes)
    for (const earlier of predecessors(node)) {
      const known = successors.get(earlier)
      if (known) known.push(node)
      else successors.set(earlier, [node])
    }
  return successors
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
      } else {
        const since = readsSince.get(r)
        if (since) since.push(node)
        else readsSince.set(r, [node])
      }
    }
  }
  return before
}
