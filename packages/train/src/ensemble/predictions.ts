// What models predicted, checked before anything is learnt or judged from it.
import type { NDArray } from '@shoal/core'
import { floats, formatType, integers, ValueError } from '@shoal/core'

/** Probabilities and the classes that were right. */
export interface Classified {
  /** Examples. */
  readonly rows: number
  readonly classes: number
  /** Row after row. */
  readonly probabilities: readonly number[]
  /** The right class of each row. */
  readonly labels: readonly number[]
}

/** No probability counts as less: the logarithm of 0 would outweigh all else. */
export const leastProbability = 1e-7

/** How far probabilities may be from adding up to 1: half precision is not exact. */
const slack = 1e-2

/**
 * Probabilities [n, classes] and whole labels [n] as plain numbers.
 * @throws ValueError where they are not that, or not of the same n, and for scores that are no probabilities.
 */
export function classified(predictions: NDArray, labels: NDArray): Classified {
  const [rows = 0, classes = 0] = predictions.shape
  if (predictions.rank !== 2 || !floats.includes(predictions.dtype) || classes === 0)
    throw new ValueError(
      `predictions are ${formatType(predictions)}; they must be probabilities, float [n, classes]`,
    )
  if (labels.rank !== 1 || labels.shape[0] !== rows || !integers.includes(labels.dtype))
    throw new ValueError(
      `labels are ${formatType(labels)}; ${rows} predictions need classes as whole numbers, int32 [${rows}]`,
    )
  if (rows === 0) throw new ValueError('there are no predictions')
  const [probabilities, right] = [predictions.numbers(), labels.numbers()]
  for (let row = 0; row < rows; row++) {
    demandProbabilities(probabilities.slice(row * classes, (row + 1) * classes), row)
    const label = right[row]!
    if (label < 0 || label >= classes)
      throw new ValueError(`the label of example ${row} is ${label}; there are ${classes} classes, from 0`)
  }
  return { rows, classes, probabilities, labels: right }
}

function demandProbabilities(row: readonly number[], index: number): void {
  const sum = row.reduce((a, b) => a + b, 0)
  // Written so that NaN fails, too.
  if (row.every((p) => p >= -slack && p <= 1 + slack) && Math.abs(sum - 1) <= slack) return
  throw new ValueError(
    `predictions of example ${index} add up to ${sum.toPrecision(4)}, or are not between 0 and 1: probabilities are wanted, which softmax makes of scores`,
  )
}

/** The probability that each example was given for the class that was right, not less than `leastProbability`. */
export const rightProbabilities = ({ probabilities, labels, classes }: Classified): number[] =>
  labels.map((label, row) => Math.max(probabilities[row * classes + label]!, leastProbability))

/** @throws ValueError without any, or when two differ in their shape. */
export function demandAlike(predictions: readonly NDArray[]): void {
  const [first] = predictions
  if (!first) throw new ValueError('there are no predictions: give those of each member')
  const other = predictions.find(({ shape }) => shape.join() !== first.shape.join())
  if (other)
    throw new ValueError(
      `members predict ${formatType(first)} and ${formatType(other)}: ask all of them for the same examples`,
    )
}
