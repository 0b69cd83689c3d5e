// Gated recurrent units. Cho et al., 2014.
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import { slice } from '../array/slice.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { add } from '../math/add.ts'
import { mul } from '../math/mul.ts'
import { sigmoid } from '../math/sigmoid.ts'
import { sub } from '../math/sub.ts'
import { tanh } from '../math/tanh.ts'
import type { RecurrentWeights, SequenceOptions } from './recurrence.ts'
import { gate, project, recur, unitsOf } from './recurrence.ts'

/** Conventions of a GRU. */
export interface GruOptions {
  /** The order of reset, update (z) and candidate (n) in the weights: 'rzn' as in PyTorch and TensorFlow's GRUCell (default), 'zrn' as in Keras. */
  readonly gates?: 'rzn' | 'zrn'
  /** Is the reset gate applied after the product with the hidden weights, as in PyTorch and Keras (default), or to the state before it, as in GRUCell? */
  readonly resetAfter?: boolean
}

function step(weights: RecurrentWeights, { gates = 'rzn', resetAfter = true }: GruOptions) {
  const units = unitsOf(weights)
  return (projected: Tensor, [state]: readonly Tensor[]): [h: Tensor] => {
    const h = state!
    const z = (from: Tensor, name: string): Tensor => gate(from, gates.indexOf(name), units)
    const hidden = project(h, weights.hidden, weights.hiddenBias)
    const reset = sigmoid(add(z(projected, 'r'), z(hidden, 'r')))
    const update = sigmoid(add(z(projected, 'z'), z(hidden, 'z')))
    const recalled = resetAfter ? mul(reset, z(hidden, 'n')) : candidateOf(mul(reset, h), weights, units)
    const candidate = tanh(add(z(projected, 'n'), recalled))
    return [add(mul(sub(1, update), candidate), mul(update, h))]
  }
}

/** What a state gives to the candidate: the last third of the hidden weights in either order of gates. */
function candidateOf(h: Tensor, { hidden, hiddenBias }: RecurrentWeights, units: number): Tensor {
  const w = slice(toTensor(hidden, h.dtype), { begin: [0, 2 * units], size: [units, units] })
  return project(
    h,
    w,
    hiddenBias === undefined
      ? undefined
      : slice(toTensor(hiddenBias, h.dtype), { begin: [2 * units], size: [units] }),
  )
}

/**
 * One step: x [batch, features] and the state h [batch, units] to the next state, which is the output.
 * h' = (1 - σ(z)) · tanh(n) + σ(z) · h.
 */
export const gruCell = (
  x: TensorLike,
  h: TensorLike,
  weights: RecurrentWeights,
  options: GruOptions = {},
): Tensor =>
  scope('gruCell', () => {
    const input = toTensor(x)
    return step(weights, options)(project(input, weights.input, weights.bias), [toTensor(h, input.dtype)])[0]
  })

/**
 * A GRU over sequences x [batch, time, features] → outputs [batch, time, units] and the final state.
 * Weights: input [features, 3 · units], hidden [units, 3 · units], biases [3 · units].
 * @param options.initial the first state [batch, units]; default zeros.
 */
export const gru = (
  x: TensorLike,
  weights: RecurrentWeights,
  { initial, ...options }: GruOptions & SequenceOptions & { readonly initial?: TensorLike } = {},
): { readonly outputs: Tensor; readonly h: Tensor } =>
  scope('gru', () => {
    const { outputs, state } = recur(x, weights, [initial], options, step(weights, options))
    return { outputs, h: state[0]! }
  })
