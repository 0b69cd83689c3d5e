// What a kernel is asked for that changes rows of a variable in place.
import type { Node } from '../graph/graph.ts'
import type { VariableResource } from '../resource.ts'
import type { ConcreteType } from '../shape.ts'
import type { Signature } from '../run/device.ts'

/** The `TensorScatter` that a scatter into a variable is: its rows, places of one index each, and updates. */
export function scatterSignature({ name, attrs, inputs }: Node): Signature {
  const type = (attrs['resource'] as VariableResource).type as ConcreteType
  const [indices, updates] = inputs.map((t) => t.type as ConcreteType) as [ConcreteType, ConcreteType]
  return {
    name,
    inputs: [type, { dtype: indices.dtype, shape: [...indices.shape, 1] }, updates],
    outputs: [type],
    attrs: { update: attrs['update'] },
  }
}
