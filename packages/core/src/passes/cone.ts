// What lies before a node: everything that runs because it runs.
import { isPure } from '../graph/effects.ts'
import type { Node, Tensor } from '../graph/graph.ts'

const known = new WeakMap<Node, boolean>()

/** Is there an effect (a read counts) in a node or in anything that it needs? Where there is none, nobody can tell whether, or when, it ran. */
export function hasEffectsBefore(node: Node): boolean {
  const stack = [node]
  while (stack.length > 0) {
    const next = stack[stack.length - 1]!
    const before = known.has(next) ? [] : predecessors(next)
    const open = before.filter((n) => !known.has(n))
    if (open.length > 0) {
      stack.push(...open)
      continue
    }
    stack.pop()
    if (!known.has(next)) known.set(next, !isPure(next) || before.some((n) => known.get(n)))
  }
  return known.get(node)!
}

/** What a node waits for: the makers of its inputs, and its control inputs. */
export const predecessors = (node: Node): Node[] => [...node.inputs.map((t) => t.node), ...node.control]

/** The nodes to wait for when a value is no longer computed: it may have been the only reason for an effect to happen. */
export const effectsOfTensor = (t: Tensor): readonly Node[] => (hasEffectsBefore(t.node) ? [t.node] : [])
