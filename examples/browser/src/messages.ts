// What the page and its worker say to each other: orders go to the worker, reports come back.
import type { Settings } from './settings.ts'

/** What the page wants of its worker; `open` comes first. */
export type Order =
  | { readonly kind: 'open'; readonly settings: Settings }
  /** Train from where it stands, until the end or a pause. */
  | { readonly kind: 'train' }
  /** Stop after the present step. */
  | { readonly kind: 'pause' }
  /** How likely is each digit in this picture? Grey values 0 to 255, row by row, [28, 28]. */
  | { readonly kind: 'classify'; readonly pixels: Uint8Array }
  /** A picture that the network was not trained on. */
  | { readonly kind: 'sample' }

/** One training step, as it went. */
export interface StepReport {
  /** Steps done. */
  readonly step: number
  /** The mean cross-entropy of its digits. */
  readonly loss: number
  readonly seconds: number
}

/** How many of the digits held back are told right. */
export interface TestReport {
  readonly step: number
  /** The part of them, 0 to 1. */
  readonly accuracy: number
}

/** A picture with what it shows. */
export interface Sample {
  /** As in `classify`. */
  readonly pixels: Uint8Array
  readonly label: number
}

/** What the worker tells. */
export type Report =
  /** It may be trained, by `steps` steps, and asked; `description` says what computes, and why. */
  | {
      readonly kind: 'ready'
      readonly device: 'webgpu' | 'cpu'
      readonly description: string
      readonly steps: number
    }
  | ({ readonly kind: 'step' } & StepReport)
  | ({ readonly kind: 'tested' } & TestReport)
  /** It trains no longer. */
  | { readonly kind: 'stopped'; readonly finished: boolean }
  /** The answer to `classify`: ten numbers that add up to 1. */
  | { readonly kind: 'classified'; readonly probabilities: readonly number[] }
  /** The answer to `sample`. */
  | ({ readonly kind: 'sample' } & Sample)
  /** It cannot go on: the device is lost, the data are not there, memory ran out. */
  | { readonly kind: 'failed'; readonly message: string }
