// The loop around ask and tell: several lanes that each run one trial after another, and wait where others must end first.
import { checkOptions, optionRules, ValueError } from '@shoal/core'
import type { Clock } from '../clock.ts'
import { TrialLostError } from '../errors.ts'
import type { Space } from '../space/space.ts'
import type { Goal, Told } from './outcome.ts'
import type { Trial } from './runningTrial.ts'
import type { Study } from './study.ts'

/** Runs a trial and tells what it came to. */
export type Objective<S extends Space, G extends Goal> = (trial: Trial<S>) => Told<S, G> | Promise<Told<S, G>>

/** How trials are run. */
export interface OptimizeOptions<S extends Space, G extends Goal> {
  /** How many trials the study is to have in the end, those of other processes and earlier ones included. */
  readonly trials: number
  /** How many run here at the same time. Default 1. */
  readonly parallel?: number
  /** Calls it off. */
  readonly signal?: AbortSignal
  /** Is this error one that a search can live with? The trial has then failed, and the next one begins. Default: no error is. */
  readonly tolerate?: (error: unknown) => boolean
  /** Told of every trial that has ended here. */
  readonly onTrial?: (trial: Trial<S>, told: Told<S, G> | undefined) => void
}

/** What the loop needs to wait. */
interface Waiting {
  readonly clock: Clock
  readonly leaseMs: number
}

/** See `Study.optimize`. */
export async function runTrials<S extends Space, G extends Goal>(
  study: Study<S, G>,
  objective: Objective<S, G>,
  options: OptimizeOptions<S, G>,
  { clock, leaseMs }: Waiting,
): Promise<void> {
  checkOptions('optimize', options, {
    trials: optionRules.whole(0),
    parallel: optionRules.whole(1),
    signal: optionRules.any,
    tolerate: optionRules.function,
    onTrial: optionRules.function,
  })
  const { trials, parallel = 1, signal, tolerate = () => false, onTrial } = options
  const lanes = new Gathering()
  let broken: { readonly error: unknown } | undefined

  /** Runs a trial and ends it. Answers how; undefined for one that was given back, or that somebody else has now. */
  const runOne = async (trial: Trial<S>): Promise<Ran<S, G> | undefined> => {
    const abort = (): void => trial.end(signal!.reason)
    signal?.addEventListener('abort', abort, { once: true })
    const ran = await attempt(objective, trial)
    signal?.removeEventListener('abort', abort)
    try {
      if (signal?.aborted) await study.release(trial)
      else return await ended(study, trial, ran)
    } catch (error) {
      // Who has it now will tell.
      if (!(error instanceof TrialLostError)) throw error
    } finally {
      lanes.meet()
    }
    return undefined
  }

  const lane = async (): Promise<void> => {
    while (!broken) {
      signal?.throwIfAborted()
      const trial = await study.ask({ limit: trials })
      if (trial === 'done') return
      if (trial === 'wait') {
        // Trials of other processes end or are lost without a word to this one: it looks again now and then.
        await lanes.next(clock, Math.min(leaseMs / 3, longestPause), signal)
        continue
      }
      const ran = await runOne(trial)
      if (!ran) continue
      onTrial?.(trial, 'told' in ran ? ran.told : undefined)
      if ('error' in ran && !tolerate(ran.error)) throw ran.error
    }
  }
  const guarded = (): Promise<void> =>
    lane().catch((error: unknown) => {
      broken ??= { error }
      lanes.meet()
    })
  await Promise.all(Array.from({ length: parallel }, guarded))
  if (broken) throw (broken as { readonly error: unknown }).error
}

/** What became of a trial: what it told, or what it threw. */
type Ran<S extends Space, G extends Goal> = { readonly told: Told<S, G> } | { readonly error: unknown }

async function attempt<S extends Space, G extends Goal>(
  objective: Objective<S, G>,
  trial: Trial<S>,
): Promise<Ran<S, G>> {
  try {
    return { told: await objective(trial) }
  } catch (error) {
    return { error }
  }
}

/** Ends a trial; one that told what does not fit the study has failed. */
async function ended<S extends Space, G extends Goal>(
  study: Study<S, G>,
  trial: Trial<S>,
  ran: Ran<S, G>,
): Promise<Ran<S, G>> {
  if ('told' in ran) {
    try {
      await study.tell(trial, ran.told)
      return ran
    } catch (error) {
      if (!(error instanceof ValueError)) throw error
      return ended(study, trial, { error })
    }
  }
  await study.fail(trial, ran.error)
  return ran
}

/** How long to wait for other processes before looking again, in ms. */
const longestPause = 1_000

/** Where lanes wait for each other. */
class Gathering {
  #waiting = new Set<() => void>()

  /** Something ended: all who wait look again. */
  meet(): void {
    for (const go of this.#waiting) go()
  }

  /** Waits until something ends, the time is over or the signal is aborted. */
  next(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.#waiting.delete(go)
        cancel()
        signal?.removeEventListener('abort', go)
        resolve()
      }
      const cancel = clock.after(ms, go)
      this.#waiting.add(go)
      signal?.addEventListener('abort', go, { once: true })
    })
  }
}
