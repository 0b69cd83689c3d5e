// A trial as it is kept: plain data that says all that is known of one attempt at the parameters.
import type { Values } from './space/space.ts'

/** Which way an objective is to go. */
export type Direction = 'minimize' | 'maximize'

/**
 * Where a trial stands. `waiting`: its parameters are known and nobody runs it. `running`: somebody does. `complete`, `pruned`, `failed`:
 * it has ended, and stays as it is.
 */
export type TrialState = 'waiting' | 'running' | 'complete' | 'pruned' | 'failed'

/** What a sampler wants to find again with a trial that it proposed. */
export type Note = Readonly<Record<string, number>>

/** A measurement on the way: the step that was reached, and the objective there. */
export type Report = readonly [step: number, value: number]

/** One trial of a study, as storages keep it: JSON. */
export interface TrialRecord {
  /** Counts the trials of a study from 0. */
  readonly number: number
  readonly state: TrialState
  readonly values: Values
  readonly note: Note
  /** How often it was begun. Together with its number this names who may report and end it. */
  readonly attempt: number
  /** How often whoever ran it fell silent. */
  readonly lost: number
  /** Who runs it, or ran it last: for people. */
  readonly owner: string
  /** While it runs: it is lost if nothing is heard of it until then, in ms since 1970. */
  readonly leaseEnd: number
  /** In ms since 1970; 0 for not yet. */
  readonly startedAt: number
  readonly endedAt: number
  /** Of this attempt, by rising steps. */
  readonly reports: readonly Report[]
  /** What was told to be pruned ends as pruned. */
  readonly stop: boolean
  /** The objectives, once complete; of a pruned trial what it came to. */
  readonly objectives: readonly number[]
  /** Each at most 0 where the trial keeps it; how far it is broken otherwise. */
  readonly constraints: readonly number[]
  /** The derivatives of the objective by parameters, where they were told. */
  readonly gradients: Readonly<Record<string, number>>
  /** Why it failed. */
  readonly error: string
}

/** A trial that waits to be run. */
export const waitingTrial = (number: number, values: Values, note: Note = {}): TrialRecord => ({
  number,
  state: 'waiting',
  values,
  note,
  attempt: 0,
  lost: 0,
  owner: '',
  leaseEnd: 0,
  startedAt: 0,
  endedAt: 0,
  reports: [],
  stop: false,
  objectives: [],
  constraints: [],
  gradients: {},
  error: '',
})

/** Has the trial ended, however? */
export const hasEnded = ({ state }: TrialRecord): boolean =>
  state === 'complete' || state === 'pruned' || state === 'failed'

/** 1 for what is minimised, -1 for what is maximised: objectives times these are losses. */
export const signOf = (direction: Direction): 1 | -1 => (direction === 'minimize' ? 1 : -1)

/** The objectives of a trial as losses: less is better. */
export const lossesOf = (trial: TrialRecord, directions: readonly Direction[]): readonly number[] =>
  trial.objectives.map((value, i) => value * signOf(directions[i]!))

/** How far the constraints of a trial are broken, together; 0 where all are kept. */
export const violationOf = ({ constraints }: TrialRecord): number =>
  constraints.reduce((sum, value) => sum + Math.max(0, value), 0)
