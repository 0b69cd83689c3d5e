// A sampler is a rule: from all trials of a study so far it makes the parameters of the next. What it must remember it leaves with the trials.
import { ValueError } from '@shoal/core'
import type { Random } from '../random.ts'
import type { Parameter, Values } from '../space/space.ts'
import type { Direction, Note, TrialRecord } from '../trial.ts'

/** What a sampler is asked with. */
export interface Search {
  readonly parameters: readonly Parameter[]
  readonly directions: readonly Direction[]
  /** All trials, by their numbers. */
  readonly trials: readonly TrialRecord[]
  /** The number of the trial that is wanted. */
  readonly number: number
  /** The study's: for what is to be the same for all of its trials. */
  readonly seed: number
  /** The trial's own random numbers: the same whenever it is proposed. */
  readonly random: Random
}

/** What to try next. */
export interface Proposal {
  readonly values: Values
  readonly note?: Note
}

/** Proposes parameters. It depends on what it is given and on its options alone, so that a study goes on in another process as it would have in this one. */
export interface Sampler {
  readonly name: string
  /** The next parameters; `wait` for something that runs to end first, `done` when there is nothing left to try. */
  propose(search: Search): Proposal | 'wait' | 'done'
}

/** The trials that a model can learn from. */
export const completeOf = ({ trials }: Search): readonly TrialRecord[] =>
  trials.filter(({ state }) => state === 'complete')

/** The trials of which nothing is known yet, for liars. */
export const openOf = ({ trials }: Search): readonly TrialRecord[] =>
  trials.filter(({ state }) => state === 'running' || state === 'waiting')

/** @throws ValueError for several objectives, where a sampler knows one. */
export function demandOneObjective(name: string, { directions }: Search): void {
  if (directions.length > 1)
    throw new ValueError(`${name} knows one objective, the study has ${directions.length}: take nsga2 or tpe`)
}
