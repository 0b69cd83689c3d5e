// Replaces composite ops by the ops they are made of.
import { GraphError } from '../errors.ts'
import type { Node, Tensor } from '../graph/graph.ts'
import { rewrite, Tensor as TensorClass } from '../graph/graph.ts'
import { inPlaceOf } from '../graph/scope.ts'
import { formatType, isConcrete, unknown } from '../shape.ts'
import type { Pass } from './pass.ts'

/** The parts of one composite node: what its outputs are made of. Only the outermost layer is opened. */
export function expandNode(node: Node): readonly Tensor[] {
  const { body } = node.op
  if (body.kind !== 'composite') throw new GraphError('is not a composite', { node })
  const built = inPlaceOf(node, () => body.build(node.inputs, node.attrs as never))
  const outputs = built instanceof TensorClass ? [built] : built
  outputs.forEach((t, i) => {
    const promised = node.outputs[i]
    if (!promised || promised.dtype !== t.dtype || promised.rank !== t.rank)
      throw new GraphError(
        `its parts make ${formatType(t.type)} where it promises ${promised ? formatType(promised.type) : 'nothing'}`,
        { node },
      )
  })
  return outputs
}

// What a composite is made of may depend on sizes: it stays closed while they are names.
const isReady = ({ op, inputs, outputs }: Node): boolean =>
  op.body.kind === 'composite' &&
  inputs.every((t) => isConcrete(t.shape)) &&
  outputs.every((t) => t.shape.every((d) => typeof d === 'number' || d === unknown))

/** Replaces every composite op by the ops it is made of, until none is left whose sizes are known. */
export const expandComposites: Pass = {
  name: 'expandComposites',
  run(graph) {
    let current = graph
    for (;;) {
      const next = rewrite(current, (node) => (isReady(node) ? expandNode(node) : undefined))
      if (next === current) return next
      current = next
    }
  },
}
