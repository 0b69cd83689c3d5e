// What all arrangements are asked for, and what they answer.
import type { Server } from '@shoal/distributed'
import type { Jobs } from './processes.ts'

/** How to train. */
export interface TrainingOptions {
  /** Steps of all workers together. */
  readonly steps: number
  /** Examples in the batch of one worker. */
  readonly batch: number
  readonly seed: number
  /** A run of seconds, of less data. */
  readonly short: boolean
}

/** Something that was promised, and whether it was kept. */
export interface Claim {
  readonly claim: string
  readonly holds: boolean
  readonly figures: string
}

/** A way to divide the work among processes. */
export interface Arrangement {
  readonly about: string
  readonly jobs: Jobs
  /** Tasks of these jobs do what others ask for, until they are asked to end. */
  readonly serving: readonly string[]
  /** What steps and batches there are if nobody says otherwise. */
  readonly defaults: Readonly<Record<'whole' | 'short', { readonly steps: number; readonly batch: number }>>
  /** What a task does that does not serve; one of them answers how it went. */
  run(server: Server, options: TrainingOptions): Promise<readonly Claim[]>
}

/** What marks the line of output that is a list of claims. */
export const claimsMark = 'claims '
