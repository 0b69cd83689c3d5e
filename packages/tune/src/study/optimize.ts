// The loop around ask and tell: several lanes that each run one trial after another, and wait where others must end first.
import { checkOptions, optionRules } from '@shoal/core'
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
  const ended = new Gathering()
  let broken: { readonly error: unknown } | undefined

  const runOne = async (trial: Trial<S>): Promise<void> => {
    const abort = (): void => trial.end(signal!.reason)
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const told = await objective(trial)
      if (signal?.aborted) return await study.release(trial)
      await study.tell(trial, told)
      onTrial?.(trial, told)
    } catch (error) {
      if (signal?.aborted) return await study.release(trial)
      // Somebody else has it now, and will tell.
      if (error instanceof TrialLostError || trial.signal.aborted) return
      await study.fail(trial, error)
      onTrial?.(trial, undefined)
      if (!tolerate(error)) throw error
    } finally {
      signal?.removeEventListener('abort', abort)
      ended.meet()
    }
  }

  const lane = async (): Promise<void> => {
    while (!broken) {
      signal?.throwIfAborted()
      const trial = await study.ask({ limit: trials })
      if (trial === 'done') return
      // Trials of other processes end or are lost without a word to this one: it looks again now and then.
      if (trial === 'wait') await ended.next(clock, Math.min(leaseMs / 3, longestPause), signal)
      else await runOne(trial)
    }
  }
  const guarded = (): Promise<void> =>
    lane().catch((error: unknown) => {
      broken ??= { error }
      ended.meet()
    })
  await Promise.all(Array.from({ length: parallel }, guarded))
  if (broken) throw (broken as { readonly error: unknown }).error
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
