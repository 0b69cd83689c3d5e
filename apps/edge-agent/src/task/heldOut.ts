// What members say about examples that none was trained on: kept once for all, so that they can be combined in many ways without being asked again.
import {
  type DType,
  DTypeError,
  type FeedValue,
  fromBytes,
  type NDArray,
  ShapeError,
  type Size,
  ValueError,
} from '@shoal/core'
import { CheckpointError, decodeSafetensors, encodeSafetensors, type Predictor } from '@shoal/train'

/** Some examples that were held back. */
export interface HeldOut {
  /** What models are asked with, by the names of their inputs. */
  readonly feeds: Readonly<Record<string, FeedValue>>
  /** What is right: classes as whole numbers [n], or numbers of the predictions' shape. */
  readonly labels: NDArray
}

/** What was said about all of them, and what is right: rows of the same number. */
export interface Answers {
  readonly predictions: NDArray
  readonly labels: NDArray
}

/** Asks a model about all examples. @throws ValueError without any, and for predictions that are not one for each label */
export async function answersOf(
  predictor: Predictor,
  output: string,
  examples: AsyncIterable<HeldOut>,
  signal: AbortSignal,
): Promise<Answers> {
  const predictions: NDArray[] = []
  const labels: NDArray[] = []
  for await (const batch of examples) {
    const said = (await predictor.predict(batch.feeds, { signal }))[output]!
    if (said.shape[0] !== batch.labels.shape[0])
      throw new ValueError(
        `heldOut gives ${batch.labels.shape[0]} labels for ${said.shape[0]} predictions: a batch has one for each`,
      )
    predictions.push(said)
    labels.push(batch.labels)
  }
  if (labels.length === 0) throw new ValueError('heldOut gives no examples: an ensemble is judged by some')
  return { predictions: joined(predictions), labels: joined(labels) }
}

/** Answers as bytes. */
export const encodeAnswers = ({ predictions, labels }: Answers): Uint8Array =>
  encodeSafetensors({ predictions, labels })

/** Answers of bytes. @throws CheckpointError for others */
export function decodeAnswers(bytes: Uint8Array): Answers {
  const { tensors } = decodeSafetensors(bytes)
  const [predictions, labels] = ['predictions', 'labels'].map((name) => tensors.get(name))
  if (!predictions || !labels) throw new CheckpointError('these are no predictions with labels')
  return { predictions, labels }
}

/** Arrays one after the other. @throws ShapeError where they differ in more than their number of rows */
export function joined(arrays: readonly NDArray[]): NDArray {
  const [first] = arrays
  const row = (array: NDArray): string => `${array.dtype} [n, ${array.shape.slice(1).join(', ')}]`
  const odd = arrays.find((array) => row(array) !== row(first!))
  if (odd) throw new ShapeError(`batches of held-out examples differ: ${row(first!)} and ${row(odd)}`)
  const bytes = new Uint8Array(arrays.reduce((sum, array) => sum + array.bytes.length, 0))
  let at = 0
  for (const array of arrays) {
    bytes.set(array.bytes, at)
    at += array.bytes.length
  }
  const rows = arrays.reduce((sum, array) => sum + array.shape[0]!, 0)
  return ofBytes(first!.dtype, [rows, ...first!.shape.slice(1)], bytes)
}

/** The rows whose numbers are chosen. */
export function rowsOf(array: NDArray, chosen: (row: number) => boolean): NDArray {
  const [rows = 0, ...rest] = array.shape
  const width = array.bytes.length / Math.max(1, rows)
  const kept = Array.from({ length: rows }, (_, row) => row).filter(chosen)
  const bytes = new Uint8Array(kept.length * width)
  kept.forEach((row, i) => bytes.set(array.bytes.subarray(row * width, (row + 1) * width), i * width))
  return ofBytes(array.dtype, [kept.length, ...rest], bytes)
}

function ofBytes(dtype: DType, shape: Size, bytes: Uint8Array): NDArray {
  if (dtype !== 'string') return fromBytes(dtype, shape, bytes)
  throw new DTypeError('predictions and labels are numbers, not strings')
}
