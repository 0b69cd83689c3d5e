// Cuts the edges that lend only a shape, so that what made the value need not be kept, or made at all.
import type { Tensor } from '../graph/graph.ts'
import { rewrite } from '../graph/graph.ts'
import { blank, isBlank } from '../ops/graph/blank.ts'
import { isConcrete } from '../shape.ts'
import type { Pass } from './pass.ts'

/** Replaces inputs that lend only their shape by blanks of that shape. */
export const dropShapeInputs: Pass = {
  name: 'dropShapeInputs',
  run: (graph) =>
    rewrite(graph, (node) => {
      const { shapeOnly } = node.op.traits
      if (!shapeOnly) return undefined
      const inputs = node.inputs.map((t, i) => (shapeOnly(i) ? blankLike(t) : t))
      return node.on(inputs, node.control)
    }),
}

// Unknown sizes stay as they are: whoever makes them has to run before the rest is compiled.
const blankLike = (t: Tensor): Tensor =>
  !isConcrete(t.shape) || isBlank(t) ? t : blank({ shape: t.shape, dtype: t.dtype, name: t.name })
