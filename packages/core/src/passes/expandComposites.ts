// Replaces composite ops by the ops they are made of.
import { GraphError } from '../errors.ts'
import type { Node, Tensor } from '../graph/graph.ts'
import { rewrite, Tensor as TensorClass } from '../graph/graph.ts'
import { inPlaceOf } from '../graph/scope.ts'
import { formatType } from '../shape.ts'
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

/** Replaces every composite op by the ops it is made of, until none is left. */
export const expandComposites: Pass = {
  name: 'expandComposites',
  run(graph) {
    let current = graph
    for (;;) {
      const next = rewrite(current, (node) =>
        node.op.body.kind === 'composite' ? expandNode(node) : undefined,
      )
      if (next === current) return next
      current = next
    }
  },
}
