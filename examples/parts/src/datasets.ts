// The data that come with the repository, read the same way by every example.
import type { NDArray } from '@shoal/core'
import { ShapeError } from '@shoal/core'
import type { ByteFile } from '@shoal/data'
import { readIdx } from '@shoal/data'
import { file } from '@shoal/data/node'

/** A file of the folder `datasets`. */
export const dataset = (name: string): ByteFile => file(new URL(`../../../datasets/${name}`, import.meta.url))

/** Handwritten digits. */
export interface Digits {
  /** Grey values 0 to 255, uint8 [count, 28, 28]. */
  readonly image: NDArray
  /** Which digit each is, uint8 [count]. */
  readonly label: NDArray
}

/** The 10,000 images of the MNIST test set. @throws DataError when a file is damaged, ShapeError when images and labels do not match. */
export async function readDigits(): Promise<Digits> {
  const [image, label] = await Promise.all([
    readIdx(dataset('mnist-t10k-images-idx3-ubyte.gz')),
    readIdx(dataset('mnist-t10k-labels-idx1-ubyte.gz')),
  ])
  if (image.rank !== 3 || label.rank !== 1 || image.shape[0] !== label.shape[0])
    throw new ShapeError(`${image.shape[0]} images, ${label.shape[0]} labels`)
  return { image, label }
}
