// The digits that a job was given, in the same three parts wherever they are read: to learn from, to choose by, and to be judged by.
import { ShapeError } from '@shoal/core'
import { Dataset, readIdx } from '@shoal/data'
import { type DigitBatch, digitFiles } from '@shoal/example-parts/digitSets'
import type { Task } from 'shoal'

/** Images, one at a time: grey values uint8 [28, 28], and which digit it is. */
export type Digits = Dataset<DigitBatch>

/** The 10,000 images, divided. No image is in two parts. */
export interface DigitParts {
  /** 6,500 images, one by one, always in the same order. */
  readonly learning: Digits
  /** 1,000 images in batches: what a search is guided by, and weights of members are learnt from. */
  readonly choosing: Digits
  /** 2,500 images in batches that nothing is learnt from: what is said about a model in the end. */
  readonly judging: Digits
}

/** What divides them: the same for every task and every job. */
const seed = 1
const [learning, choosing] = [6500, 1000]
const testBatch = 250

/** Reads the dataset `digits` of a job. @throws NotFoundError where it has none, DataError and ShapeError for files that hold no digits. */
export async function digitParts(task: Task): Promise<DigitParts> {
  const files = task.dataset('digits')
  const [images, labels] = await Promise.all([
    readIdx(files.file(digitFiles.images)),
    readIdx(files.file(digitFiles.labels)),
  ])
  if (images.rank !== 3 || labels.rank !== 1)
    throw new ShapeError(`images of rank ${images.rank} and labels of rank ${labels.rank} are no digits`)
  const all = Dataset.fromTensors({ images, labels }).shuffle({ seed, reshuffleEachIteration: false })
  return {
    learning: all.take(learning),
    choosing: all.skip(learning).take(choosing).batch(testBatch),
    judging: all.skip(learning + choosing).batch(testBatch),
  }
}
