// How good predicted probabilities are.
import type { NDArray } from '@shoal/core'
import { classified, rightProbabilities } from './predictions.ts'

/** What predictions are judged by. */
export interface Judgement {
  /** The share of examples whose most probable class, the lowest of several, is the right one. */
  readonly accuracy: number
  /** The mean of −ln p, where p is what the right class was given, in nats. p counts as at least 1e-7. */
  readonly logLoss: number
}

/**
 * Judges what a model, or an ensemble, predicted.
 * @param predictions probabilities, float [n, classes]
 * @param labels the right classes, whole numbers [n]
 * @throws ValueError where they are not that.
 */
export function judge(predictions: NDArray, labels: NDArray): Judgement {
  const found = classified(predictions, labels)
  const { rows, classes, probabilities, labels: right } = found
  const hits = right.filter((label, row) => {
    const own = probabilities.slice(row * classes, (row + 1) * classes)
    return own.indexOf(Math.max(...own)) === label
  })
  const loss = rightProbabilities(found).reduce((sum, p) => sum - Math.log(p), 0)
  return { accuracy: hits.length / rows, logLoss: loss / rows }
}
