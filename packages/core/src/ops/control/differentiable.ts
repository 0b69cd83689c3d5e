// What differentiating through bodies needs: which values have gradients, and that the forward pass may be computed again on the way back.
import { floats } from '../../dtype.ts'
import { GradientError } from '../../errors.ts'
import { effectsOf } from '../../graph/effects.ts'
import type { Node, Subgraph, Tensor } from '../../graph/graph.ts'
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

/** Which of the tensors have gradients: the indices of the floats among them. */
export const floatIndices = (tensors: readonly Tensor[]): number[] =>
  tensors.flatMap((t, i) => (floats.includes(t.dtype) ? [i] : []))

/** For each of `tensors`, what was found for it, given in the order of `indices`; null for the others. */
export const atIndices = (
  tensors: readonly Tensor[],
  indices: readonly number[],
  found: readonly Tensor[],
): (Tensor | null)[] => tensors.map((_, i) => found[indices.indexOf(i)] ?? null)
