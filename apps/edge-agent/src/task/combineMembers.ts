// How members become one: what there is to learn is learnt from one half of the held-out examples, and all are judged by the other.
import { type Device, floats, type NDArray, placeholder, reshape } from '@shoal/core'
import {
  type Combination,
  ensembleModels,
  judge,
  learnStacking,
  learnWeights,
  predictor,
  SavedModel,
} from '@shoal/train'
import type { Combine } from './ensembleSettings.ts'
import { type Answers, rowsOf } from './heldOut.ts'

/** How good something is: accuracy and logLoss of classes, squaredError of numbers. */
export type Quality = Readonly<Record<string, number>>

/** What was found. */
export interface Combined {
  readonly combination: Combination
  /** By the examples that nothing was learnt from. */
  readonly ensemble: Quality
  /** Of each member, by the same examples. */
  readonly members: readonly Quality[]
}

interface Means {
  /** Makes devices to compute on, which are closed. */
  readonly devices: () => Promise<readonly Device[]>
  readonly signal: AbortSignal
}

/**
 * Combines what members say, who were asked about the same examples.
 * @throws ValueError and ModelError for what cannot be combined so; the reason of the signal
 */
export async function combineMembers(
  answers: readonly Answers[],
  combine: Combine,
  { devices, signal }: Means,
): Promise<Combined> {
  const { labels } = answers[0]!
  const learns = combine === 'weights' || combine === 'stacking'
  const half = (parity: number) => (row: number) => !learns || row % 2 === parity
  const part = (array: NDArray, parity: number): NDArray => rowsOf(array, half(parity))
  const learning = answers.map(({ predictions }) => part(predictions, 0))
  const combination = await learnt(combine, learning, part(labels, 0), { devices, signal })
  const judging = answers.map(({ predictions }) => part(predictions, 1))
  const right = part(labels, 1)
  const together = await combinedPredictions(judging, combination, await devices())
  return {
    combination,
    ensemble: qualityOf(together, right),
    members: judging.map((predictions) => qualityOf(predictions, right)),
  }
}

async function learnt(
  combine: Combine,
  predictions: readonly NDArray[],
  labels: NDArray,
  { devices, signal }: Means,
): Promise<Combination> {
  switch (combine) {
    case 'mean':
    case 'vote':
      return { combine }
    case 'weights':
      return { combine, weights: learnWeights(predictions, labels) }
    case 'stacking':
      return {
        combine,
        stacking: await learnStacking(predictions, labels, { devices: await devices(), signal }),
      }
    default:
      throw combine satisfies never
  }
}

/** What the ensemble says where its members say this: the graph that it will have, with what they said in their place. */
async function combinedPredictions(
  predictions: readonly NDArray[],
  combination: Combination,
  devices: readonly Device[],
): Promise<NDArray> {
  const echoes = predictions.map(({ dtype, shape: [, ...rest] }, i) => {
    const input = placeholder({ dtype, shape: ['n', ...rest], name: `said${i}` })
    const output = reshape(input, { shape: [-1, ...rest] })
    return new SavedModel({ inputs: { [`said${i}`]: input }, outputs: { output }, values: new Map() })
  })
  await using ready = await predictor(ensembleModels(echoes, combination), { devices })
  return (await ready.predict(Object.fromEntries(predictions.map((said, i) => [`said${i}`, said]))))[
    'output'
  ]!
}

function qualityOf(predictions: NDArray, labels: NDArray): Quality {
  if (!floats.includes(labels.dtype)) return { ...judge(predictions, labels) }
  const right = labels.numbers()
  const squares = predictions.numbers().map((value, i) => (value - right[i]!) ** 2)
  return { squaredError: squares.reduce((sum, square) => sum + square, 0) / squares.length }
}
