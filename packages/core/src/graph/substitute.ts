// Puts other tensors in the place of some: feeding, inlining and specialising are all this.
import type { Graph, Node, Tensor } from './graph.ts'

/** What becomes of a node whose inputs were replaced; the same node if nothing is to change. */
export type Rebuild = (node: Node, inputs: readonly Tensor[], control: readonly Node[]) => Node

const withInputs: Rebuild = (node, inputs, control) => node.on(inputs, control)

/**
 * The graph with tensors replaced. What only replaced tensors needed is not looked at.
 * @param rebuild makes each remaining node anew; by default only those whose inputs changed.
 */
export function substitute(
  graph: Graph,
  replaced: ReadonlyMap<Tensor, Tensor>,
  rebuild: Rebuild = withInputs,
): Graph {
  const nodes = new Map<Node, Node>()
  // Who waits for a node of which nothing is left waits for what took its place.
  for (const [t, by] of replaced)
    if (t.node.outputs.every((output) => replaced.has(output))) nodes.set(t.node, by.node)
  const at = (t: Tensor): Tensor => replaced.get(t) ?? nodes.get(t.node)!.outputs[t.index]!
  const before = (node: Node): Node[] => [
    ...node.inputs.filter((t) => !replaced.has(t)).map((t) => t.node),
    ...node.control,
  ]
  const stack: Node[] = [
    ...graph.targets,
    ...graph.fetches.filter((t) => !replaced.has(t)).map((t) => t.node),
  ].reverse()
  while (stack.length > 0) {
    const node = stack[stack.length - 1]!
    const pending = nodes.has(node) ? [] : before(node).filter((n) => !nodes.has(n))
    if (pending.length > 0) {
      stack.push(...pending.reverse())
      continue
    }
    stack.pop()
    if (nodes.has(node)) continue
    nodes.set(
      node,
      rebuild(
        node,
        node.inputs.map(at),
        node.control.map((n) => nodes.get(n)!),
      ),
    )
  }
  return { fetches: graph.fetches.map(at), targets: graph.targets.map((n) => nodes.get(n)!) }
}
