// A trial while it runs: its parameters, a way to report, and a heartbeat that keeps its lease.
import { ValueError } from '@shoal/core'
import type { Clock } from '../clock.ts'
import { TrialLostError } from '../errors.ts'
import type { ParamsOf, Space } from '../space/space.ts'
import type { TrialRecord } from '../trial.ts'

/** What a running trial needs of its study. */
export interface Keeper {
  readonly clock: Clock
  readonly leaseMs: number
  report(trial: TrialRecord, step: number, value: number): Promise<boolean>
  renew(trial: TrialRecord): Promise<unknown>
}

/** A trial that was begun here, to be told to its study when it ends. */
export class Trial<S extends Space = Space> {
  /** Counts the trials of the study from 0. */
  readonly number: number
  /** What to try. */
  readonly params: ParamsOf<S>
  /** How often it was begun, this time included: above 1 after a process was lost. */
  readonly attempt: number
  /** The trial whose state to go on from, of population-based training; undefined to begin anew. */
  readonly parent: number | undefined
  readonly #record: TrialRecord
  readonly #keeper: Keeper
  readonly #abort = new AbortController()
  #stopped = false
  #cancelBeat: () => void = () => {}
  #over = false

  /** Studies make trials: see `study.ask`. */
  constructor(record: TrialRecord, params: ParamsOf<S>, keeper: Keeper) {
    this.number = record.number
    this.params = params
    this.attempt = record.attempt
    this.parent = record.note['parent']
    this.#record = record
    this.#keeper = keeper
    this.#scheduleBeat()
  }

  /** Aborted when the trial is not to go on: it was given to another, or the search was called off. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Was it told to stop? It then ends as pruned. */
  get stopped(): boolean {
    return this.#stopped
  }

  /**
   * Reports the objective on the way. Answers whether the trial is worth going on; if not, end it with what it has come to.
   * @param step where it stands, rising: epochs or steps done
   * @throws ValueError for a step that is no number; TrialLostError when it was given to another
   */
  async report(step: number, value: number): Promise<boolean> {
    if (!Number.isFinite(step))
      throw new ValueError(`trial ${this.number} reports at step ${step}: give a finite number`)
    this.#stopped = !(await this.#keeper.report(this.#record, step, value))
    return !this.#stopped
  }

  /** Ends the heartbeat. Studies call this. */
  end(reason?: unknown): void {
    this.#over = true
    this.#cancelBeat()
    if (reason !== undefined) this.#abort.abort(reason)
  }

  /** A third of the lease: two beats may fail before it is lost. */
  #scheduleBeat(): void {
    const { clock, leaseMs } = this.#keeper
    this.#cancelBeat = clock.after(leaseMs / 3, () => void this.#beat(), true)
  }

  async #beat(): Promise<void> {
    try {
      await this.#keeper.renew(this.#record)
    } catch (error) {
      if (error instanceof TrialLostError) return this.end(error)
      // A storage that cannot be reached now may be later; until then the lease runs.
    }
    if (!this.#over) this.#scheduleBeat()
  }
}
