// The digits of the folder `datasets`, for programs that can read it.
import { dataset } from './datasets.ts'
import { type DigitOptions, type DigitSets, divideDigits } from './digitSets.ts'

/** The 10,000 images of the MNIST test set, shuffled and divided. @throws DataError, ShapeError when a file is damaged. */
export const readDigits = (options: DigitOptions): Promise<DigitSets> => divideDigits(dataset, options)
