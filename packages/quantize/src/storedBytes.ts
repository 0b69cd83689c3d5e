// How much a model has to remember.
import { dtypes, isConcrete, type Model, sizeOf, type Tensor, tensorsOf, toposort } from '@shoal/core'

/**
 * Bytes of the constants and variables that a model depends on, each counted once; bodies of branches and loops are not looked into.
 * Strings and variables of unknown size count as nothing.
 */
export function storedBytes(model: Model): number {
  const stored = new Map<unknown, Tensor>()
  for (const node of toposort({ fetches: tensorsOf(model), targets: [] })) {
    const { body } = node.op
    if (body.kind !== 'runtime') continue
    // Every reading of a variable is a node of its own.
    if (body.role === 'constant') stored.set(node, node.outputs[0]!)
    if (body.role === 'readVariable') stored.set(node.attrs['resource'], node.outputs[0]!)
  }
  return [...stored.values()].reduce(
    (sum, { dtype, shape }) => sum + (isConcrete(shape) ? sizeOf(shape) * dtypes[dtype].bytes : 0),
    0,
  )
}
