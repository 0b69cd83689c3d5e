// The life of trials as pure changes: each function sees the trials of a study and says which to put, and storages make it happen at once.
// A trial that runs is on lease. Number and attempt together name the lease: who lost it cannot change the trial any more.
import type { Proposal } from '../samplers/sampler.ts'
import type { Values } from '../space/space.ts'
import type { Change } from '../storage/storage.ts'
import type { TrialRecord } from '../trial.ts'
import { waitingTrial } from '../trial.ts'
import { TrialLostError } from '../errors.ts'

type Trials = readonly TrialRecord[]

/** What holds a trial. */
export interface Lease {
  readonly number: number
  readonly attempt: number
}

/** How trials are begun. */
export interface Terms {
  readonly now: number
  readonly leaseMs: number
  readonly owner: string
  /** How often a trial that was lost is begun again. */
  readonly retries: number
  /** No more trials than so many. */
  readonly limit: number
  propose(trials: Trials, number: number): Proposal | 'wait' | 'done'
}

/**
 * Begins a trial: one that waits, or a new one. Before that it looks for trials that were lost, which wait again, or have failed when
 * that happened too often. Answers `wait` when there is nothing to begin while others run, `done` when there will be nothing.
 */
export function begin(trials: Trials, terms: Terms): Change<TrialRecord | 'wait' | 'done'> {
  const { now, leaseMs, owner, limit, propose } = terms
  const found = trials.filter(({ state, leaseEnd }) => state === 'running' && leaseEnd <= now)
  const changed = new Map(found.map((trial) => [trial.number, givenUp(trial, terms)]))
  const current = trials.map((trial) => changed.get(trial.number) ?? trial)
  const put = [...changed.values()]
  const start = (trial: TrialRecord): Change<TrialRecord> => {
    const attempt = trial.attempt + 1
    const begun: TrialRecord = {
      ...trial,
      state: 'running',
      attempt,
      owner,
      leaseEnd: now + leaseMs,
      startedAt: now,
    }
    return { put: [...put.filter(({ number }) => number !== trial.number), begun], result: begun }
  }
  const waiting = current.find(({ state }) => state === 'waiting')
  if (waiting) return start(waiting)
  const rest = current.some(({ state }) => state === 'running') ? 'wait' : 'done'
  if (current.length >= limit) return { put, result: rest }
  const proposal = propose(current, current.length)
  if (proposal === 'wait' || proposal === 'done') return { put, result: rest }
  return start(waitingTrial(current.length, proposal.values, proposal.note))
}

function givenUp(trial: TrialRecord, { retries, now }: Terms): TrialRecord {
  const lost = trial.lost + 1
  const blank = { ...trial, lost, reports: [], stop: false, leaseEnd: 0 }
  return lost <= retries
    ? { ...blank, state: 'waiting' }
    : { ...blank, state: 'failed', endedAt: now, error: `lost ${lost} times: whoever ran it fell silent` }
}

/** The trial that is held by a lease. @throws TrialLostError when it is no longer */
export function held(trials: Trials, { number, attempt }: Lease): TrialRecord {
  const trial = trials[number]
  if (trial?.state === 'running' && trial.attempt === attempt) return trial
  const now = trial
    ? trial.attempt === attempt
      ? `it is ${trial.state}`
      : 'others were given it'
    : 'there is none'
  throw new TrialLostError(
    `trial ${number} (attempt ${attempt}) cannot be changed: ${now}. If it was silent for too long, set a longer leaseMs`,
  )
}

/** Lengthens a lease. */
export function renew(trials: Trials, lease: Lease, leaseEnd: number): Change<TrialRecord> {
  const trial = { ...held(trials, lease), leaseEnd }
  return { put: [trial], result: trial }
}

/**
 * Notes a report, which replaces one of the same step; `keep` says of the trial with it whether to go on. Answers that. Nothing good comes
 * after a value that is no finite number: the trial is told to stop.
 */
export function report(
  trials: Trials,
  lease: Lease,
  { step, value, leaseEnd }: { readonly step: number; readonly value: number; readonly leaseEnd: number },
  keep: (trial: TrialRecord, trials: Trials) => boolean,
): Change<boolean> {
  const before = held(trials, lease)
  if (!Number.isFinite(value)) return { put: [{ ...before, leaseEnd, stop: true }], result: false }
  const others = before.reports.filter(([at]) => at !== step)
  const reports = [...others, [step, value] as const].sort(([a], [b]) => a - b)
  const noted = { ...before, reports, leaseEnd }
  const stop = before.stop || !keep(noted, trials.with(lease.number, noted))
  return { put: [{ ...noted, stop }], result: !stop }
}

/** How a trial ends. */
export type Ending = Pick<TrialRecord, 'state' | 'objectives' | 'constraints' | 'gradients' | 'error'>

/** Ends a trial for good. */
export function end(trials: Trials, lease: Lease, ending: Ending, endedAt: number): Change<TrialRecord> {
  const trial: TrialRecord = { ...held(trials, lease), ...ending, endedAt, leaseEnd: 0 }
  return { put: [trial], result: trial }
}

/** Gives a trial back that was broken off on purpose: it waits again, and was not lost. */
export function release(trials: Trials, lease: Lease): Change<void> {
  const trial: TrialRecord = {
    ...held(trials, lease),
    state: 'waiting',
    reports: [],
    stop: false,
    leaseEnd: 0,
  }
  return { put: [trial], result: undefined }
}

/** Adds a trial that waits. Answers its number. */
export function enqueue(trials: Trials, values: Values): Change<number> {
  return { put: [waitingTrial(trials.length, values)], result: trials.length }
}

/** Adds a trial that has ended elsewhere. Answers its number. */
export function insert(trials: Trials, values: Values, ending: Ending, endedAt: number): Change<number> {
  return { put: [{ ...waitingTrial(trials.length, values), ...ending, endedAt }], result: trials.length }
}
