// Long short-term memory. Hochreiter and Schmidhuber, 1997, with forget gates (Gers et al., 2000).
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { add } from '../math/add.ts'
import { mul } from '../math/mul.ts'
import { sigmoid } from '../math/sigmoid.ts'
import { tanh } from '../math/tanh.ts'
import type { RecurrentWeights, SequenceOptions } from './recurrence.ts'
import { gate, project, recur, unitsOf } from './recurrence.ts'

/** The state of an LSTM: what it says and what it remembers, [batch, units] each. */
export interface LstmState {
  readonly h: TensorLike
  readonly c: TensorLike
}
/** Conventions of an LSTM. */
export interface LstmOptions {
  /** The order of input, forget, candidate (g) and output gate in the weights: 'ifgo' as in PyTorch and Keras (default), 'igfo' as in TensorFlow's BasicLSTMCell. */
  readonly gates?: 'ifgo' | 'igfo'
  /** Added to the forget gate before its sigmoid. Default 0; BasicLSTMCell adds 1. */
  readonly forgetBias?: number
}

function step(weights: RecurrentWeights, { gates = 'ifgo', forgetBias = 0 }: LstmOptions) {
  const units = unitsOf(weights)
  return (projected: Tensor, [h, c]: readonly Tensor[]): [h: Tensor, c: Tensor] => {
    const z = add(projected, project(h!, weights.hidden, weights.hiddenBias))
    const part = (name: string): Tensor => gate(z, gates.indexOf(name), units)
    const forget = forgetBias === 0 ? part('f') : add(part('f'), forgetBias)
    const memory = add(mul(sigmoid(forget), c!), mul(sigmoid(part('i')), tanh(part('g'))))
    return [mul(sigmoid(part('o')), tanh(memory)), memory]
  }
}

/**
 * One step: x [batch, features] and a state to the next state; `h` is the output.
 * c' = σ(f) · c + σ(i) · tanh(g), h' = σ(o) · tanh(c').
 */
export const lstmCell = (
  x: TensorLike,
  { h, c }: LstmState,
  weights: RecurrentWeights,
  options: LstmOptions = {},
): { readonly h: Tensor; readonly c: Tensor } =>
  scope('lstmCell', () => {
    const input = toTensor(x)
    const [nextH, nextC] = step(weights, options)(project(input, weights.input, weights.bias), [
      toTensor(h, input.dtype),
      toTensor(c, input.dtype),
    ])
    return { h: nextH, c: nextC }
  })

/**
 * An LSTM over sequences x [batch, time, features] → outputs [batch, time, units] and the final state.
 * Weights: input [features, 4 · units], hidden [units, 4 · units], biases [4 · units].
 * @param options.initial the first state; default zeros.
 */
export const lstm = (
  x: TensorLike,
  weights: RecurrentWeights,
  { initial, ...options }: LstmOptions & SequenceOptions & { readonly initial?: LstmState } = {},
): { readonly outputs: Tensor; readonly h: Tensor; readonly c: Tensor } =>
  scope('lstm', () => {
    const { outputs, state } = recur(x, weights, [initial?.h, initial?.c], options, step(weights, options))
    return { outputs, h: state[0]!, c: state[1]! }
  })
