// The plain recurrent network: the next state is an activation of a linear function of input and state.
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import type { TensorLike } from '../constant.ts'
import { toTensor } from '../constant.ts'
import { add } from '../math/add.ts'
import { tanh } from '../math/tanh.ts'
import type { RecurrentWeights, SequenceOptions } from './recurrence.ts'
import { project, recur } from './recurrence.ts'

/** Conventions of a plain recurrent network. */
export interface RnnOptions {
  /** Default tanh. */
  readonly activation?: (x: Tensor) => Tensor
}

const step =
  (weights: RecurrentWeights, { activation = (x) => tanh(x) }: RnnOptions) =>
  (projected: Tensor, [h]: readonly Tensor[]): [h: Tensor] => [
    activation(add(projected, project(h!, weights.hidden, weights.hiddenBias))),
  ]

/** One step: activation(x · input + h · hidden + bias), x [batch, features], h [batch, units]. */
export const rnnCell = (
  x: TensorLike,
  h: TensorLike,
  weights: RecurrentWeights,
  options: RnnOptions = {},
): Tensor =>
  scope('rnnCell', () => {
    const input = toTensor(x)
    return step(weights, options)(project(input, weights.input, weights.bias), [toTensor(h, input.dtype)])[0]
  })

/**
 * A plain recurrent network over sequences x [batch, time, features] → outputs [batch, time, units] and the final state.
 * Weights: input [features, units], hidden [units, units], biases [units]. One kernel [features + units, units], as BasicRNNCell has it, is these two, one above the other.
 * @param options.initial the first state [batch, units]; default zeros.
 */
export const basicRnn = (
  x: TensorLike,
  weights: RecurrentWeights,
  { initial, ...options }: RnnOptions & SequenceOptions & { readonly initial?: TensorLike } = {},
): { readonly outputs: Tensor; readonly h: Tensor } =>
  scope('rnn', () => {
    const { outputs, state } = recur(x, weights, [initial], options, step(weights, options))
    return { outputs, h: state[0]! }
  })
