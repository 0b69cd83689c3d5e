// A pruner is a rule: from what a trial has reported, and all others have, it says whether the trial is worth going on.
import type { TrialRecord } from '../trial.ts'

/** What a pruner is asked with. */
export interface Race {
  /** The trial that has just reported. */
  readonly trial: TrialRecord
  /** All trials of the study, this one too. */
  readonly trials: readonly TrialRecord[]
  /** 1 if reports are to fall, -1 if they are to rise. */
  readonly sign: 1 | -1
}

/** Says which trials to stop early. It depends on reports alone, so that all processes of a study decide alike. */
export interface Pruner {
  readonly name: string
  /** Is the trial worth going on? */
  keep(race: Race): boolean
}
