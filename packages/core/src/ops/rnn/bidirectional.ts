// Two recurrent layers over the same sequences, one from each end.
import type { Tensor } from '../../graph/graph.ts'
import { concat } from '../array/concat.ts'

/**
 * Runs a layer forwards and one backwards and joins their outputs along the last axis:
 * `bidirectional((reverse) => lstm(x, reverse ? backWeights : weights, { reverse, lengths }))`.
 */
export function bidirectional<R extends { readonly outputs: Tensor }>(
  layer: (reverse: boolean) => R,
): { readonly outputs: Tensor; readonly forward: R; readonly backward: R } {
  const [forward, backward] = [layer(false), layer(true)]
  return { outputs: concat([forward.outputs, backward.outputs], { axis: -1 }), forward, backward }
}
