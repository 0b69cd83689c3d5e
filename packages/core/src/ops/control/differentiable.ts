// What a body must not do if one is to differentiate through it: its forward pass is computed again on the way back.
import { GradientError } from '../../errors.ts'
import { effectsOf } from '../../graph/effects.ts'
import type { Node, Subgraph } from '../../graph/graph.ts'
import { toposort } from '../../graph/graph.ts'

/** @throws GradientError when a body writes, draws random keys or acts on the world: doing that twice would not be the same. */
export function demandDifferentiable(body: Subgraph, node: Node): void {
  for (const inner of toposort(body)) {
    const { writes, external } = effectsOf(inner)
    if (writes.size > 0 || external)
      throw new GradientError(
        `its body holds ${inner.op.name} '${inner.name}', which must not run twice, and the gradient computes the body again: take it out of the body (draw random keys outside and pass them in)`,
        { node },
      )
  }
}
