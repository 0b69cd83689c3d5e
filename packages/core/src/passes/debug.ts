// Takes checks and reports out of a graph, for production.
import { hasEffectsBefore } from './cone.ts'
import { group } from '../ops/graph/group.ts'
import { identity } from '../ops/graph/identity.ts'
import type { Graph, Node } from '../graph/graph.ts'
import { rewrite } from '../graph/graph.ts'
import { detached } from '../graph/scope.ts'
import type { Note, Pass } from './pass.ts'

/**
 * Removes nodes that only check or report (Assert, CheckNumerics, Print): their first input takes the place of their output, and what
 * they waited for is still waited for. Not among the standard passes: hand it to a session to run without checks.
 */
export const removeDebug: Pass = {
  name: 'removeDebug',
  run: (graph: Graph, note?: Note): Graph =>
    rewrite(graph, (node) => {
      if (!node.op.traits.debug) return undefined
      note?.(node, 'it only checks or reports')
      return withoutCheck(node)
    }),
}

function withoutCheck(node: Node): Node {
  const { name, device } = node
  if (node.outputs.length > 0) {
    const plain = detached(() => identity(node.inputs[0]!)).node
    return plain.with({ name, device, control: node.control })
  }
  // Effects that only the check asked for still happen.
  const effects = node.inputs.map((t) => t.node).filter(hasEffectsBefore)
  return detached(() => group()).with({ name, device, control: [...new Set([...node.control, ...effects])] })
}
