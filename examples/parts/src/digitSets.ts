// Handwritten digits as datasets: images to learn from, and others to be tested on.
import type { NDArray } from '@shoal/core'
import { ShapeError } from '@shoal/core'
import { type ByteFile, Dataset, readIdx } from '@shoal/data'

/** The files of the folder `datasets` that hold digits. */
export const digitFiles = {
  images: 'mnist-t10k-images-idx3-ubyte.gz',
  labels: 'mnist-t10k-labels-idx1-ubyte.gz',
} as const

/** Images with what they show, many at a time. */
export interface DigitBatch {
  /** Grey values 0 to 255, uint8 [batch, 28, 28]. */
  readonly images: NDArray
  /** Which digit each is, uint8 [batch]. */
  readonly labels: NDArray
}

/** The two halves of an experiment. */
export interface DigitSets {
  /** In a new order in every epoch. */
  readonly train: Dataset<DigitBatch>
  readonly test: Dataset<DigitBatch>
}

/** How many images go where. */
export interface DigitOptions {
  /** What chooses the images for training, and their order. */
  readonly seed: number
  readonly batchSize: number
  /** Images to learn from; default 9,000. */
  readonly train?: number
  /** Images to test on, none of which is among the others; default 1,000. */
  readonly test?: number
}

/** The 10,000 images of the MNIST test set, shuffled and divided; `open` tells where their files are. @throws DataError, ShapeError when a file is damaged. */
export async function divideDigits(
  open: (name: string) => ByteFile,
  { seed, batchSize, train = 9000, test = 1000 }: DigitOptions,
): Promise<DigitSets> {
  const [images, labels] = await Promise.all([
    readIdx(open(digitFiles.images)),
    readIdx(open(digitFiles.labels)),
  ])
  if (images.rank !== 3 || labels.rank !== 1)
    throw new ShapeError(`images of rank ${images.rank} and labels of rank ${labels.rank} are no digits`)
  const all = Dataset.fromTensors({ images, labels }).shuffle({ seed, reshuffleEachIteration: false })
  return {
    train: all.take(train).shuffle({ seed }).batch(batchSize),
    test: all.skip(train).take(test).batch(250),
  }
}
