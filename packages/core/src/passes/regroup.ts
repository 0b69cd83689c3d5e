// Sums and products of many operands, grouped so that small operands meet first and the large ones are touched as seldom as can be.
import { isPure } from '../graph/effects.ts'
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { rewrite, toposort } from '../graph/graph.ts'
import { detachedAs } from '../graph/scope.ts'
import { makeNode } from '../op.ts'
import { isConcrete, sizeOf } from '../shape.ts'
import type { Note, Pass } from './pass.ts'

const isAssociative = (node: Node): boolean =>
  Boolean(node.op.traits.associative && node.op.traits.commutative) &&
  node.inputs.length === 2 &&
  node.outputs.length === 1 &&
  isPure(node)

/** Regroups chains of one associative and commutative op whose operands have different sizes. Values keep within rounding. */
export const regroup: Pass = {
  name: 'regroup',
  run(graph: Graph, note?: Note): Graph {
    const readers = onlyReaders(graph)
    const isInner = (node: Node): boolean =>
      readers.get(node)?.op === node.op &&
      isAssociative(node) &&
      node.control.length === 0 &&
      node.device === readers.get(node)!.device
    return rewrite(graph, (node, original) => {
      if (!isAssociative(original) || isInner(original)) return undefined
      const chain = [original]
      const operands = collect(original, node, isInner, chain)
      if (
        chain.length < 2 ||
        ![...operands, ...chain.map((n) => n.outputs[0]!)].every((t) => isConcrete(t.shape))
      )
        return undefined
      const before = chain.reduce((sum, n) => sum + elements(n.outputs[0]!), 0)
      const { result, cost } = detachedAs(node, () => build(node, operands))
      if (cost >= before) return undefined
      note?.(node, 'small operands are combined first')
      return [node.control.length === 0 ? result : result.node.with({ control: node.control }).outputs[0]!]
    })
  },
}

const elements = (t: Tensor): number => sizeOf(t.shape as readonly number[])

/** The one reader of each node that is read once and not fetched. */
function onlyReaders(graph: Graph): Map<Node, Node | undefined> {
  const readers = new Map<Node, Node | undefined>()
  for (const node of toposort(graph)) {
    for (const t of node.inputs) readers.set(t.node, readers.has(t.node) ? undefined : node)
    for (const earlier of node.control) readers.set(earlier, undefined)
  }
  for (const t of graph.fetches) readers.set(t.node, undefined)
  for (const node of graph.targets) readers.set(node, undefined)
  return readers
}

/** The operands of a chain, as rewritten: its shape is walked in the original graph and in the new one together. */
function collect(original: Node, node: Node, isInner: (node: Node) => boolean, chain: Node[]): Tensor[] {
  const operands: Tensor[] = []
  const stack = node.inputs.map((t, i): readonly [Tensor, Tensor] => [original.inputs[i]!, t]).reverse()
  for (let pair = stack.pop(); pair; pair = stack.pop()) {
    const [old, now] = pair
    if (isInner(old.node) && now.node.op === original.op) {
      chain.push(old.node)
      stack.push([old.node.inputs[1]!, now.node.inputs[1]!], [old.node.inputs[0]!, now.node.inputs[0]!])
    } else operands.push(now)
  }
  return operands
}

/** Combines operands of equal shape first, then the groups from the smallest to the largest. */
function build(node: Node, operands: readonly Tensor[]): { readonly result: Tensor; readonly cost: number } {
  let cost = 0
  const combine = (a: Tensor, b: Tensor): Tensor => {
    const t = makeNode(node.op, [a, b], node.attrs).outputs[0]!
    cost += elements(t)
    return t
  }
  const groups = new Map<string, Tensor>()
  for (const t of operands) {
    const key = t.shape.join()
    const same = groups.get(key)
    groups.set(key, same ? combine(same, t) : t)
  }
  const sorted = [...groups.values()].sort((a, b) => elements(a) - elements(b))
  return { result: sorted.reduce(combine), cost }
}
