// What is known of a model before it has seen any input.
import type { Tensor } from '@shoal/core'
import { toposort } from '@shoal/core'

/**
 * Does nothing but constants and variables decide this tensor? Then it is the same for every input of the model.
 * @param known what is known already, by node.
 */
export function isFixed(tensor: Tensor, known = new Map<Tensor['node'], boolean>()): boolean {
  for (const node of toposort({ fetches: [tensor], targets: [] }, (n) => !known.has(n))) {
    const { body } = node.op
    const reads = body.kind !== 'runtime' || body.role === 'constant' || body.role === 'readVariable'
    const before = [...node.inputs.map((t) => t.node), ...node.control]
    known.set(node, reads && !node.op.subgraphs && before.every((n) => known.get(n) === true))
  }
  return known.get(tensor.node) === true
}
