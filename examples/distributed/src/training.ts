// What all arrangements are asked for, and what they answer.

/** How to train. */
export interface TrainingOptions {
  /** Steps of all workers together. */
  readonly steps: number
  /** Examples in the batch of one worker. */
  readonly batch: number
  readonly rate: number
  readonly seed: number
  /** Images to learn from, and to be tested on. */
  readonly train: number
  readonly test: number
}

/** How it went. */
export interface Outcome {
  readonly steps: number
  /** The part of the test images that is told right. */
  readonly accuracy: number
}

/** What marks the line of output that is an outcome. */
export const outcomeMark = 'outcome '
