// Where studies are kept: a place that holds trials by number and lets one change at a time happen. What changes mean is none of its business.
import type { Space } from '../space/space.ts'
import type { Direction, TrialRecord } from '../trial.ts'

/** What a study is, beside its trials. */
export interface StudyHeader {
  readonly name: string
  readonly space: Space
  readonly directions: readonly Direction[]
  /** Of all random numbers of its trials. */
  readonly seed: number
}

/** What a change makes of the trials of a study. */
export interface Change<T> {
  /** The trials that are new or different. */
  readonly put: readonly TrialRecord[]
  readonly result: T
}

/** Keeps studies and their trials. */
export interface StudyStorage {
  /** The study of this name as it is kept; if there is none, this one, kept from now on. */
  open(header: StudyHeader): Promise<StudyHeader>
  /**
   * Changes a study: `decide` sees its trials, by their numbers, and says which to put. Until it is through nobody else's change is, and all
   * of it comes to be or nothing.
   */
  change<T>(study: string, decide: (trials: readonly TrialRecord[]) => Change<T>): Promise<T>
  /** Ends it; safe to call again. */
  close(): Promise<void>
}
