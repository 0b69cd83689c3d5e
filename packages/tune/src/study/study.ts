// A study is a search: it asks a sampler what to try, a pruner what to stop, and keeps what was found. `optimize` runs it; `ask` and `tell` let others run it.
import { checkOptions, optionRules, ValueError } from '@shoal/core'
import type { Clock } from '../clock.ts'
import { systemClock } from '../clock.ts'
import { StudyMismatchError } from '../errors.ts'
import type { Pruner } from '../pruners/pruner.ts'
import { Random } from '../random.ts'
import { frontsOf, ranked } from '../ranking.ts'
import type { Sampler } from '../samplers/sampler.ts'
import { tpeSampler } from '../samplers/tpe.ts'
import type { Parameter, ParamsOf, Space, Values } from '../space/space.ts'
import { parametersOf, toParams, toValues } from '../space/space.ts'
import { MemoryStorage } from '../storage/memory.ts'
import type { Change, StudyStorage } from '../storage/storage.ts'
import type { Direction, Report, TrialRecord, TrialState } from '../trial.ts'
import { signOf, violationOf } from '../trial.ts'
import * as ledger from './ledger.ts'
import type { Objective, OptimizeOptions } from './optimize.ts'
import { runTrials } from './optimize.ts'
import type { Goal, Score, Told } from './outcome.ts'
import { endingOf, failure } from './outcome.ts'
import { Trial } from './runningTrial.ts'

/** What a study is made of. */
export interface StudyOptions<S extends Space, G extends Goal> {
  readonly space: S
  /** `minimize`, `maximize`, or a list with one of these for each objective. Default `minimize`. */
  readonly direction?: G
  /** Default `tpeSampler()`. */
  readonly sampler?: Sampler
  /** Default: nothing is stopped early. */
  readonly pruner?: Pruner
  /** Default: in memory. */
  readonly storage?: StudyStorage
  /** Names it in its storage: a study that is there under this name goes on. Default `study`. */
  readonly name?: string
  /** Of all random numbers. Of a study that goes on, the one that it began with counts. Default 0. */
  readonly seed?: number
  /** How often a trial is begun again whose process fell silent. Default 2. */
  readonly retries?: number
  /** How long a process may be silent before its trial is given to another, in ms; code that lets no timer run for so long needs more. Default 60,000. */
  readonly leaseMs?: number
  /** Who runs trials here, for people to read. Default empty. */
  readonly owner?: string
  /** Default: the machine's. */
  readonly clock?: Clock
}

/** A trial of a study, as found. */
export interface TrialResult<S extends Space = Space, G extends Goal = Goal> {
  readonly number: number
  readonly state: TrialState
  readonly params: ParamsOf<S>
  /** What it came to; undefined for one that has not ended, or has failed. */
  readonly value: Score<G> | undefined
  /** Each at most 0 where it is kept. */
  readonly constraints: readonly number[]
  /** What it reported on its way. */
  readonly reports: readonly Report[]
  /** How often it was begun. */
  readonly attempts: number
  /** Why it failed; empty otherwise. */
  readonly error: string
}

/**
 * Opens a study, or makes it.
 * @throws ValueError for options that make no sense; StudyMismatchError when the storage holds another search under this name
 */
export async function createStudy<const S extends Space, const G extends Goal = 'minimize'>(
  options: StudyOptions<S, G>,
): Promise<Study<S, G>> {
  const { any, text, whole, from } = optionRules
  checkOptions('createStudy', options, {
    space: any,
    direction: any,
    sampler: any,
    pruner: any,
    storage: any,
    name: text,
    seed: whole(0),
    retries: whole(0),
    leaseMs: from(1),
    owner: any,
    clock: any,
  })
  const { space, name = 'study', seed = 0, storage = new MemoryStorage() } = options
  const directions: readonly Direction[] = [options.direction ?? 'minimize'].flat() as readonly Direction[]
  if (directions.length === 0 || directions.some((each) => each !== 'minimize' && each !== 'maximize'))
    throw new ValueError(
      `direction is minimize, maximize or a list of these, got ${String(options.direction)}`,
    )
  if (options.pruner && directions.length > 1)
    throw new ValueError('pruners compare reports of one objective: leave the pruner out, or search for one')
  const parameters = parametersOf(space)
  const header = await storage.open({ name, space, directions, seed })
  const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
  if (!same(header.space, space) || !same(header.directions, directions))
    throw new StudyMismatchError(
      `the storage holds a study '${name}' with another ${same(header.space, space) ? 'direction' : 'space'}: give this one another name`,
    )
  return new Study(options, { parameters, directions, seed: header.seed, storage, name })
}

interface Settled {
  readonly parameters: readonly Parameter[]
  readonly directions: readonly Direction[]
  readonly seed: number
  readonly storage: StudyStorage
  readonly name: string
}

/** A search for good parameters. Made by `createStudy`. */
export class Study<S extends Space, G extends Goal = 'minimize'> {
  readonly name: string
  readonly directions: readonly Direction[]
  readonly #space: S
  readonly #parameters: readonly Parameter[]
  readonly #seed: number
  readonly #storage: StudyStorage
  readonly #sampler: Sampler
  readonly #pruner: Pruner | undefined
  readonly #retries: number
  readonly #leaseMs: number
  readonly #owner: string
  readonly #clock: Clock
  readonly #running = new Set<Trial<S>>()

  /** See `createStudy`. */
  constructor(options: StudyOptions<S, G>, { parameters, directions, seed, storage, name }: Settled) {
    this.name = name
    this.directions = directions
    this.#space = options.space
    this.#parameters = parameters
    this.#seed = seed
    this.#storage = storage
    this.#sampler = options.sampler ?? tpeSampler()
    this.#pruner = options.pruner
    this.#retries = options.retries ?? 2
    this.#leaseMs = options.leaseMs ?? 60_000
    this.#owner = options.owner ?? ''
    this.#clock = options.clock ?? systemClock
  }

  /**
   * Runs trials until the study has so many that ended, those of other processes and earlier ones included, or the sampler is done.
   * @throws what an objective throws, unless `tolerate` says otherwise, when the trials beside it have ended; the signal's reason when
   * it is aborted: trials that run are then given back, to be run when the study goes on
   */
  optimize(objective: Objective<S, G>, options: OptimizeOptions<S, G>): Promise<void> {
    return runTrials(this, objective, options, { clock: this.#clock, leaseMs: this.#leaseMs })
  }

  /**
   * Begins a trial: one that waits, or one that the sampler proposes. Tell the study how it ended with `tell` or `fail`.
   * @param options.limit how many trials the study has at most. Default: no limit.
   * @returns `wait` when other trials must end first, `done` when there is nothing left to try
   */
  async ask(options: { readonly limit?: number } = {}): Promise<Trial<S> | 'wait' | 'done'> {
    const { limit = Infinity } = options
    const begun = await this.#change((trials) =>
      ledger.begin(trials, {
        now: this.#clock.now(),
        leaseMs: this.#leaseMs,
        owner: this.#owner,
        retries: this.#retries,
        limit,
        propose: (known, number) =>
          this.#sampler.propose({
            parameters: this.#parameters,
            directions: this.directions,
            trials: known,
            number,
            seed: this.#seed,
            random: new Random(this.#seed, number),
          }),
      }),
    )
    if (typeof begun === 'string') return begun
    const trial = new Trial<S>(begun, this.#paramsOf(begun.values), {
      clock: this.#clock,
      leaseMs: this.#leaseMs,
      report: (record, step, value) => this.#report(record, step, value),
      renew: (record) => this.#change((trials) => ledger.renew(trials, record, this.#leaseEnd())),
    })
    this.#running.add(trial)
    return trial
  }

  /**
   * Ends a trial with what it came to. A score that is no finite number makes it a failed one.
   * @throws ValueError for a score that does not fit the directions; TrialLostError when the trial was given to another
   */
  async tell(trial: Trial<S>, told: Told<S, G>): Promise<void> {
    await this.#end(trial, endingOf<S, G>(told, this.directions, trial.stopped))
  }

  /** Ends a trial that failed. @throws TrialLostError when it was given to another */
  async fail(trial: Trial<S>, error: unknown): Promise<void> {
    await this.#end(trial, failure(String(error)))
  }

  /** Gives a trial back that shall be run at another time, by whoever asks next. @throws TrialLostError when it was given to another */
  async release(trial: Trial<S>): Promise<void> {
    this.#letGo(trial)
    await this.#change((trials) => ledger.release(trials, trial))
  }

  /** Has these parameters tried before the sampler is asked again. Answers the trial's number. @throws ValueError for parameters that the space does not have */
  enqueue(params: ParamsOf<S>): Promise<number> {
    const values = toValues(this.#space, params)
    return this.#change((trials) => ledger.enqueue(trials, values))
  }

  /** Adds a trial whose outcome is known already, for samplers to learn from. Answers its number. @throws ValueError as `enqueue` and `tell` */
  add(params: ParamsOf<S>, told: Told<S, G>): Promise<number> {
    const values = toValues(this.#space, params)
    const ending = endingOf<S, G>(told, this.directions, false)
    return this.#change((trials) => ledger.insert(trials, values, ending, this.#clock.now()))
  }

  /** All trials, by their numbers. */
  async trials(): Promise<readonly TrialResult<S, G>[]> {
    return (await this.#records()).map((record) => this.#resultOf(record))
  }

  /** The best complete trial that keeps its constraints; of several objectives, the loneliest of the front. undefined when there is none. */
  async best(): Promise<TrialResult<S, G> | undefined> {
    const [best] = ranked(await this.#feasible(), this.directions)
    return best && this.#resultOf(best)
  }

  /** The complete trials that keep their constraints and that none leads in all objectives, by their numbers. */
  async front(): Promise<readonly TrialResult<S, G>[]> {
    const [front = []] = frontsOf(await this.#feasible(), this.directions)
    return front.toSorted((a, b) => a.number - b.number).map((record) => this.#resultOf(record))
  }

  /** Ends the heartbeats of trials that were begun here and not told: others will find them lost. The storage is closed by who opened it. */
  close(): void {
    for (const trial of this.#running) trial.end()
    this.#running.clear()
  }

  async #end(trial: Trial<S>, ending: ledger.Ending): Promise<void> {
    this.#letGo(trial)
    await this.#change((trials) => ledger.end(trials, trial, ending, this.#clock.now()))
  }

  #letGo(trial: Trial<S>): void {
    trial.end()
    this.#running.delete(trial)
  }

  #report(lease: ledger.Lease, step: number, value: number): Promise<boolean> {
    const pruner = this.#pruner
    const sign = signOf(this.directions[0]!)
    return this.#change((trials) =>
      ledger.report(trials, lease, { step, value, leaseEnd: this.#leaseEnd() }, (trial, all) =>
        pruner ? pruner.keep({ trial, trials: all, sign }) : true,
      ),
    )
  }

  #leaseEnd(): number {
    return this.#clock.now() + this.#leaseMs
  }

  #change<T>(decide: (trials: readonly TrialRecord[]) => Change<T>): Promise<T> {
    return this.#storage.change(this.name, decide)
  }

  #records(): Promise<readonly TrialRecord[]> {
    return this.#change((trials) => ({ put: [], result: trials }))
  }

  async #feasible(): Promise<readonly TrialRecord[]> {
    return (await this.#records()).filter((trial) => trial.state === 'complete' && violationOf(trial) === 0)
  }

  #paramsOf(values: Values): ParamsOf<S> {
    return toParams(this.#space, values)
  }

  #resultOf(record: TrialRecord): TrialResult<S, G> {
    const { number, state, objectives, constraints, reports, attempt, error } = record
    const score = this.directions.length === 1 ? objectives[0] : objectives
    const value = (objectives.length === 0 ? undefined : score) as Score<G> | undefined
    return {
      number,
      state,
      params: this.#paramsOf(record.values),
      value,
      constraints,
      reports,
      attempts: attempt,
      error,
    }
  }
}
