// What all arrangements are asked for, and what they answer.
import type { Device } from '@shoal/core'
import type { Server, ServerDef } from '@shoal/distributed'
import type { NodeCredentials } from '@shoal/distributed/node'
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

/** The task that a process is, and what it may use. */
export interface Task {
  readonly def: ServerDef
  /** This task's certificate and key. */
  readonly credentials: NodeCredentials
  openDevice(): Promise<Device>
  /** Starts the server of this task; the process closes it in the end. */
  startServer(): Promise<Server>
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
  run(task: Task, options: TrainingOptions): Promise<readonly Claim[]>
}

/** That so much of the test images is told right. */
export const reads = (accuracy: number, least: number): Claim => ({
  claim: `it reads ${100 * least} % of new digits`,
  holds: accuracy >= least,
  figures: `${(100 * accuracy).toFixed(1)} %`,
})

/** What marks the line of output that is a list of claims. */
export const claimsMark = 'claims '
