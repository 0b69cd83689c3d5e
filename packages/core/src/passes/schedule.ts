// An order of work that keeps little memory alive: of two inputs, the one that needs more on the way is computed first,
// while the result of the other does not yet exist. (Sethi and Ullman, The Generation of Optimal Code for Arithmetic Expressions, 1970.)
import { dtypes } from '../dtype.ts'
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { isConcrete, sizeOf } from '../shape.ts'
import { predecessors } from './cone.ts'

/** Nodes in dependency order, never with a higher peak than `toposort` has; near-linear. Fetches that are inputs of a program may be put first. */
export function schedule(graph: Graph): readonly Node[] {
  const plain = toposort(graph)
  const planned = bySize(graph, plain)
  return peakBytes(planned, graph.fetches) < peakBytes(plain, graph.fetches) ? planned : plain
}

/**
 * The most bytes of outputs alive at once when nodes run in this order: an output lives from its node to its last reader, a fetch to the end.
 * Constants, variables and sizes that are not known count as nothing.
 */
export function peakBytes(order: readonly Node[], fetches: readonly Tensor[] = []): number {
  const lastReader = new Map<Tensor, number>()
  order.forEach((node, i) => [...node.inputs, ...node.outputs].forEach((t) => lastReader.set(t, i)))
  fetches.forEach((t) => lastReader.set(t, order.length))
  const ends = order.map((): Tensor[] => [])
  lastReader.forEach((i, t) => ends[i]?.push(t))
  let [alive, peak] = [0, 0]
  order.forEach((node, i) => {
    alive += outputBytes(node)
    peak = Math.max(peak, alive)
    for (const t of ends[i]!) alive -= heldBytes(t)
  })
  return peak
}

/** The bytes that a tensor takes while it is alive; none where it is a constant or a variable's memory, or its size is not known. */
export function heldBytes(t: Tensor): number {
  const { body } = t.node.op
  const elsewhere =
    body.kind === 'runtime' && ['constant', 'readVariable', 'assign', 'scatter', 'blank'].includes(body.role)
  return elsewhere || !isConcrete(t.shape) ? 0 : sizeOf(t.shape) * dtypes[t.dtype].bytes
}
const outputBytes = (node: Node): number => node.outputs.reduce((sum, t) => sum + heldBytes(t), 0)

/** A depth-first order in which, among the inputs of a node, those come first whose computation needs most beyond what it leaves behind. */
function bySize(graph: Graph, plain: readonly Node[]): Node[] {
  const peak = new Map<Node, number>()
  const left = new Map<Node, number>()
  const inputs = new Map<Node, readonly Node[]>()
  for (const node of plain) {
    const before = [...new Set(predecessors(node))].sort(
      (a, b) => peak.get(b)! - left.get(b)! - (peak.get(a)! - left.get(a)!),
    )
    inputs.set(node, before)
    const read = new Set(node.inputs.map((t) => t.node))
    let [held, most] = [0, 0]
    for (const n of before) {
      most = Math.max(most, held + peak.get(n)!)
      if (read.has(n)) held += left.get(n)!
    }
    const made = outputBytes(node)
    left.set(node, made)
    peak.set(node, Math.max(most, held + made))
  }
  const order: Node[] = []
  const placed = new Set<Node>()
  for (const root of [...graph.fetches.map((t) => t.node), ...graph.targets]) place(root)
  return order

  function place(root: Node): void {
    const stack = [{ node: root, next: 0 }]
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      const before = inputs.get(top.node)!
      if (placed.has(top.node)) stack.pop()
      else if (top.next < before.length) stack.push({ node: before[top.next++]!, next: 0 })
      else {
        placed.add(top.node)
        order.push(top.node)
        stack.pop()
      }
    }
  }
}
