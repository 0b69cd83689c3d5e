// How much each member of an ensemble is to count, learnt from examples that no member was trained on.
import type { NDArray } from '@shoal/core'
import { floats, formatType, ValueError } from '@shoal/core'
import { classified, demandAlike, rightProbabilities } from './predictions.ts'

/**
 * Weights, at least 0 and 1 together, with which the mean of the members' predictions is best: of probabilities in log-loss, of numbers in squared
 * error. The same predictions give the same weights.
 * @param predictions of each member for the same held-out examples: probabilities [n, classes], or numbers of any shape.
 * @param labels classes as whole numbers [n], or floats of the predictions' shape.
 * @throws ValueError where these do not go together.
 */
export function learnWeights(predictions: readonly NDArray[], labels: NDArray): number[] {
  demandAlike(predictions)
  return floats.includes(labels.dtype)
    ? leastSquares(predictions.map((prediction) => errorsOf(prediction, labels)))
    : mostLikely(predictions.map((prediction) => rightProbabilities(classified(prediction, labels))))
}

/** Rounds after which the search ends in any case: the loss is then within ln(members) / rounds of the least one. */
const maxRounds = 5000
/** How far from the least loss is near enough. */
const nearEnough = 1e-6

/**
 * The weights w of the greatest Σ ln Σ_k w_k p_k, by Cover, An algorithm for maximizing expected log investment return, 1984, which is
 * expectation-maximisation for the weights of a mixture: each member's weight grows by its mean share in what the mixture says.
 */
function mostLikely(right: readonly (readonly number[])[]): number[] {
  const rows = right[0]!.length
  let weights = right.map(() => 1 / right.length)
  for (let round = 0; round < maxRounds; round++) {
    const growth = right.map(() => 0)
    for (let row = 0; row < rows; row++) {
      const mixed = weights.reduce((sum, w, k) => sum + w * right[k]![row]!, 0)
      right.forEach((p, k) => (growth[k]! += p[row]! / mixed / rows))
    }
    // The loss is convex in the weights: none have one that is less by more than this.
    if (Math.max(...growth) - 1 < nearEnough) break
    weights = weights.map((w, k) => w * growth[k]!)
  }
  return weights
}

/**
 * The weights w of the least mean of (Σ_k w_k e_k)², where e_k are the members' errors: since weights are 1 together, that is the error of the mean.
 * Each round moves weight from the member where most is gained by less to the one where most is gained by more, as far as that helps.
 */
function leastSquares(errors: readonly (readonly number[])[]): number[] {
  const count = errors[0]!.length
  const products = errors.map((a) => errors.map((b) => a.reduce((sum, x, i) => sum + x * b[i]!, 0) / count))
  const weights = errors.map(() => 1 / errors.length)
  const scale = Math.max(...products.map((row, k) => row[k]!))
  for (let round = 0; round < maxRounds; round++) {
    // Half of the gradient.
    const slope = products.map((row) => row.reduce((sum, x, k) => sum + x * weights[k]!, 0))
    const up = slope.indexOf(Math.min(...slope))
    const down = slope.reduce((most, x, k) => (weights[k]! > 0 && x > slope[most]! ? k : most), up)
    const gain = slope[down]! - slope[up]!
    if (gain <= scale * 1e-12) break
    const curvature = products[up]![up]! + products[down]![down]! - 2 * products[up]![down]!
    const moved = Math.min(weights[down]!, curvature > 0 ? gain / curvature : Infinity)
    weights[up]! += moved
    weights[down]! -= moved
  }
  return weights
}

function errorsOf(prediction: NDArray, labels: NDArray): number[] {
  if (prediction.shape.join() !== labels.shape.join())
    throw new ValueError(
      `predictions are ${formatType(prediction)}, the numbers to be predicted ${formatType(labels)}: reshape one of them (classes are whole numbers)`,
    )
  if (labels.size === 0) throw new ValueError('there are no predictions')
  const right = labels.numbers()
  const errors = prediction.numbers().map((x, i) => x - right[i]!)
  if (!errors.every(Number.isFinite)) throw new ValueError('predictions and labels must be finite')
  return errors
}
