// Stacking: a model that learns from held-out examples what to make of the probabilities that others give.
//
// It is a logistic regression on the logarithms of all members' probabilities. It starts as their geometric mean, and is drawn back to it.
import type { Device, NDArray, Tensor } from '@shoal/core'
import {
  add,
  cast,
  concat,
  constant,
  log,
  matmul,
  maximum,
  mul,
  ndarray,
  Session,
  softmax,
  sparseSoftmaxCrossEntropy,
  square,
  sub,
  sum,
  ValueError,
  variable,
} from '@shoal/core'
import { adam } from '../optimizers/adam.ts'
import { cosineDecay } from '../schedules.ts'
import { classified, demandAlike, leastProbability } from './predictions.ts'

/** What stacking has learnt. */
export interface Stacking {
  /** float32 [members · classes, classes]: how much each logarithm counts for each class. */
  readonly weights: NDArray
  /** float32 [classes] */
  readonly bias: NDArray
}

/** How stacking learns. */
export interface StackingOptions {
  /**
   * How strongly weights are drawn to those of the geometric mean: the sum of their squared distances counts as much as the log-loss of so many
   * examples, so that more of these free them. From 0; default 1.
   */
  readonly l2?: number
  /** Steps of Adam over all examples, the rate falling from 0.05 along a cosine. Default 300. */
  readonly steps?: number
  /** Where to compute, closed in the end. Default: the reference device. */
  readonly devices?: readonly Device[]
  readonly signal?: AbortSignal
}

/** Probabilities of all members as what the regression takes: [..., members · classes]. */
const logarithms = (members: readonly Tensor[]): Tensor =>
  log(maximum(cast(concat(members, { axis: -1 }), { to: 'float32' }), leastProbability))

/** The probabilities that stacking makes of those of the members, tensors [..., classes]. */
export const stackedProbabilities = (members: readonly Tensor[], weights: Tensor, bias: Tensor): Tensor =>
  softmax(add(matmul(logarithms(members), weights), bias))

/**
 * Learns how to stack. The same predictions give the same answer.
 * @param predictions of each member for the same held-out examples: probabilities [n, classes].
 * @param labels the right classes, whole numbers [n].
 * @throws ValueError where these do not go together, and for options out of range; the reason of `signal` once it aborts.
 */
export async function learnStacking(
  predictions: readonly NDArray[],
  labels: NDArray,
  options: StackingOptions = {},
): Promise<Stacking> {
  const { l2 = 1, steps = 300, devices, signal } = options
  if (!(l2 >= 0 && l2 < Infinity)) throw new ValueError(`l2 is ${l2}; it must be at least 0`)
  if (!(Number.isSafeInteger(steps) && steps >= 1))
    throw new ValueError(`steps is ${steps}; it must be a whole number, at least 1`)
  demandAlike(predictions)
  predictions.forEach((prediction) => classified(prediction, labels))
  await using session = new Session(devices ? { devices } : {})
  const aborting = signal ? { signal } : {}
  const inputs = await session.run(
    logarithms(predictions.map((prediction) => constant(prediction))),
    [],
    aborting,
  )
  const start = constant(geometricMean(predictions.length, predictions[0]!.shape[1]!))
  const weights = variable(start, { name: 'stacking/weights' })
  const bias = variable(ndarray(new Float32Array(predictions[0]!.shape[1]!)), { name: 'stacking/bias' })
  const scores = add(matmul(constant(inputs), weights), bias)
  const loss = add(
    sparseSoftmaxCrossEntropy(scores, constant(labels.cast('int32')), { reduction: 'mean' }),
    mul(sum(square(sub(weights, start))), l2 / labels.size),
  )
  const step = adam({ learningRate: cosineDecay({ initial: 0.05, steps }) }).minimize(loss)
  await session.initialize(step)
  for (let i = 0; i < steps; i++) await session.run(step, [], aborting)
  return await session.run({ weights, bias })
}

/** Each class takes an equal share of its own logarithms, and nothing of others. */
function geometricMean(members: number, classes: number): NDArray {
  const weights = new Float32Array(members * classes * classes)
  for (let row = 0; row < members * classes; row++) weights[row * classes + (row % classes)] = 1 / members
  return ndarray(weights, 'float32', [members * classes, classes])
}
