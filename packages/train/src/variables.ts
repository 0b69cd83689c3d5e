// The variables of a graph: those that training changes, and all that a checkpoint must hold.
import type { VariableResource } from '@shoal/core'
import { floats, Node, Tensor, Variable, variablesOf } from '@shoal/core'

/** Every variable that some of these read or write: for a train op that includes slots and step counters. @throws NameError when two share a name. */
export function allVariables(...roots: readonly (Tensor | Variable | Node)[]): Variable[] {
  const tensors = roots.map((root) => (root instanceof Variable ? root.read() : root))
  const graph = {
    fetches: tensors.filter((root) => root instanceof Tensor),
    targets: tensors.filter((root) => root instanceof Node),
  }
  return variablesOf(graph).map((resource) => new Variable(resource))
}

/** The variables that some of these depend on and that optimizers change: floats made with `trainable` left true. */
export const trainableVariables = (...roots: readonly (Tensor | Variable | Node)[]): Variable[] =>
  allVariables(...roots).filter((v) => v.resource.trainable && floats.includes(v.dtype))

/** What state that is kept for each element of a variable is of a larger one, where the variable is a part: the whole is `<variable>/<suffix>`. */
export function sliceOf({ resource: { slice } }: Variable, suffix: string): Pick<VariableResource, 'slice'> {
  return slice ? { slice: { ...slice, of: `${slice.of}/${suffix}` } } : {}
}
