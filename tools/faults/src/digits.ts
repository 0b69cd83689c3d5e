// The images that a training learns from, and those that it is tested on. The same seed divides them in the same way, wherever it is asked.
import { readDigits } from '@shoal/example-parts'
import type { TrainingOptions } from './protocol.ts'

/** 3,000 images to learn from, and 2,000 others. */
export const digitsOf = ({ seed, batch }: Pick<TrainingOptions, 'seed' | 'batch'>) =>
  readDigits({ seed, batchSize: batch, train: 3000, test: 2000 })
