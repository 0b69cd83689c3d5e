// Training that goes on: a session that is opened anew when a task was lost, with what a chief does besides, hooks, and one stop for all.
import type { Feeds, Fetched, Session, Variable } from '@shoal/core'
import { NDArray, ValueError } from '@shoal/core'
import type { Hook, Metrics, Saver, StepValues, TrainingRun } from '@shoal/train'
import { scalarsOf } from '@shoal/train'
import { type Clock, systemClock } from '../clock.ts'
import { replicaFilters } from '../cluster/deviceFilters.ts'
import { asError } from '../errors.ts'
import type { Server } from '../server/server.ts'
import { CheckpointKeeper } from './checkpointKeeper.ts'
import { Chiefship } from './chiefship.ts'
import type { Lease } from './lease.ts'
import { everyoneLives, type Liveness } from './liveness.ts'
import type { AsyncReplicas } from '../replicate/asyncReplicas.ts'
import type { SyncReplicas } from '../replicate/syncReplicas.ts'
import { Progress, type StepFetches } from './progress.ts'
import type { Gate } from './gate.ts'
import { PresenceGate, type PresenceGateOptions } from './presenceGate.ts'
import { ReplicaGate } from './replicaGate.ts'
import { SessionManager } from './sessionManager.ts'
import { SteadySession } from './steadySession.ts'

/** How training is kept going. */
export interface MonitoredSessionOptions {
  /** The server of this task: its sessions are opened there. */
  readonly server: Pick<Server, 'def' | 'session'> & Partial<Pick<Server, 'liveness'>>
  /** All that training changes, `allVariables(trainOp)`: weights, slots and counters. Checkpoints hold them. */
  readonly variables: readonly Variable[]
  /** Counts the steps of all replicas: the one that `minimize` was given. int32 or int64, scalar. */
  readonly globalStep: Variable
  /** Where the chief keeps checkpoints, and whoever is chief next finds them. Left out: what is lost begins anew. */
  readonly checkpoints?: Saver
  /** Keeps a chief that was thought dead from writing checkpoints when it comes back: `new DirectoryLease(folder)`. Left out: nothing does. */
  readonly lease?: Lease
  readonly hooks?: readonly Hook[]
  /** The chief saves after so many global steps. Default: only by time. */
  readonly saveEverySteps?: number
  /** The chief saves after so many seconds. Default 600. */
  readonly saveEverySeconds?: number
  /**
   * Replicas that make their steps together: they are held up while variables are restored, and wait for gradients of the living alone. Its
   * `train` is to be run as the step; what only one replica knows may be among `variables` and is left out.
   */
  readonly sync?: SyncReplicas
  /**
   * Replicas with a bound on how far they are apart: nobody waits for the dead. Its `train` is to be run as the step. Replica i has to be the i-th
   * of the cluster's chief, master and workers.
   */
  readonly async?: AsyncReplicas
  /** Who is alive. Default: what the server knows. Where it does not, everyone is, and the chief the same for ever. */
  readonly liveness?: Liveness
  /** Sessions that may be opened in a row without a step done in between. Default 10. */
  readonly maxRestarts?: number
  /** Milliseconds that the chief may take to give all variables values. Default 600,000. */
  readonly readyDeadlineMs?: number
  /** How sessions are opened. Default: the server's own way, and where it has no filters and the cluster has parameter servers, `replicaFilters`. */
  readonly session?: Omit<NonNullable<Parameters<Server['session']>[0]>, 'signal'>
  /** Ends every wait, and with it training. */
  readonly signal?: AbortSignal
  /** One line for whatever a person should know. Default: nowhere. */
  readonly log?: (line: string) => void
  readonly clock?: Clock
  /** Numbers from 0 to 1, for the lengths of pauses. Default `Math.random`. */
  readonly random?: () => number
}

/**
 * A session that survives the loss of tasks. What holds for a step, in asynchronous training, with one session for each replica:
 *
 * - It is never run again by itself. One whose answer was lost may have been applied, once, or on some of the parameter servers and not on others;
 *   `run` answers undefined for it, and the caller goes on with the next batch.
 * - The global step lives beside the variables, and is restored with them: it never counts steps that the variables have not seen. What was done
 *   after the newest checkpoint is lost when a parameter server is.
 * - Where no variable was lost nothing is restored, whoever was started anew.
 */
export class MonitoredSession implements TrainingRun, AsyncDisposable {
  /** It counts steps, not epochs: hooks' `epochBegin` and `epochEnd` are never called. */
  readonly epochs = 1
  readonly epoch = 0
  readonly skipped = 0
  readonly batches = undefined
  readonly partial = false
  readonly signal: AbortSignal | undefined
  private readonly name: string
  private readonly hooks: readonly Hook[]
  private readonly progress: Progress
  private readonly chiefship: Chiefship
  private readonly keeper: CheckpointKeeper | undefined
  private readonly sessions: SteadySession
  private readonly gate: Gate | undefined
  private readonly unwatch: () => void
  private adjusting = Promise.resolve()
  private readonly log: (line: string) => void
  private globalStep = 0
  private steps = 0
  private reason: string | undefined
  /** Do the other replicas know that training is to end? */
  private announced = false
  private metrics: Metrics = {}
  private failure: unknown
  private closing: Promise<void> | undefined

  /** Use `monitoredSession`, which opens it as well. */
  constructor(options: MonitoredSessionOptions) {
    const { server, variables, globalStep, checkpoints: saver, lease, log = () => {} } = options
    const { clock = systemClock, random = Math.random, saveEverySteps, sync } = options
    const { liveness = server.liveness ?? everyoneLives } = options
    const { cluster, job, task, name } = server.def
    const counted = variables.some(({ resource }) => resource === globalStep.resource)
    const own = new Set(sync?.localVariables.map(({ resource }) => resource))
    const shared = variables.filter(({ resource }) => !own.has(resource))
    const saved = counted ? shared : [...shared, globalStep]
    const { signal } = options
    this.name = name
    this.signal = signal
    this.hooks = options.hooks ?? []
    this.log = log
    this.progress = new Progress(globalStep)
    this.chiefship = new Chiefship({ cluster, own: { job, task }, liveness, lease, log })
    const common = { name, clock, log, chiefship: this.chiefship }
    this.gate = gateOf(options, { cluster, own: { job, task }, liveness, chiefship: this.chiefship, log })
    this.unwatch = liveness.onChange?.(() => this.adjust()) ?? (() => {})
    const manager = new SessionManager({
      ...common,
      open: (ended) => server.session({ ...sessionOptions(options), ...(ended && { signal: ended }) }),
      saved,
      others: [this.progress.flag],
      beforeFill: (session) => this.gate?.hold(session) ?? Promise.resolve(),
      saver,
      readyDeadlineMs: options.readyDeadlineMs ?? 600_000,
      random,
    })
    this.sessions = new SteadySession({
      ...common,
      prepare: (ended) => manager.prepare(ended),
      opened: (session) => this.opened(session),
      where: () => `step ${this.globalStep}`,
      maxRestarts: options.maxRestarts ?? 10,
      signal,
      random,
    })
    const everySeconds = options.saveEverySeconds ?? 600
    this.keeper =
      saver &&
      new CheckpointKeeper({ ...common, saver, variables: saved, everySteps: saveEverySteps, everySeconds })
  }

  /** The session that is open at present; another one after a task was lost. @throws ClosedError before the start and after the end. */
  get session(): Session {
    return this.sessions.session
  }
  /** The global step after this replica's last step. */
  get step(): number {
    return this.globalStep
  }
  /** Steps that this replica has done. */
  get batch(): number {
    return this.steps
  }
  /** Is this task chief, as far as it knows? */
  get isChief(): boolean {
    return this.chiefship.elected
  }
  /** Why training is to end, once this replica or another one asked for it. */
  get stopped(): string | undefined {
    return this.reason
  }
  /** Is training to end? */
  get shouldStop(): boolean {
    return this.reason !== undefined
  }

  /** Opens the session and calls `begin` of every hook. @throws as `SessionManager.prepare`, when the attempts are used up. */
  async start(): Promise<void> {
    try {
      await this.sessions.open()
      for (const hook of this.hooks) await hook.begin?.(this)
    } catch (error) {
      await this.close(error)
      throw error
    }
  }

  /** Ends training: this replica's after the present step, that of all others after their next one. The first reason counts. */
  stop(reason: string): void {
    this.reason ??= reason
  }

  /**
   * Runs a step, once.
   * @param fetches values by name, and the train op.
   * @returns what was fetched; undefined when a task was lost in the middle: by then another session is open, and training can go on.
   * @throws UnavailableError when the attempts are used up, DeadlineError when the chief did not make the variables ready, and whatever the step
   * or a hook throws: then training has failed.
   */
  async run<const F extends StepFetches>(fetches: F, feeds: Feeds = []): Promise<Fetched<F> | undefined> {
    try {
      const values = await this.sessions.surviving(async (session) => {
        for (const hook of this.hooks) await hook.beforeRun?.(this, feeds)
        return this.execute(session, fetches, feeds)
      })
      if (!values) return undefined
      await this.sessions.surviving(async (session) => {
        for (const hook of this.hooks) await hook.afterRun?.(this, valuesOf(values), feeds)
        await this.keeper?.stepDone(session, this.globalStep, this.metrics)
        await this.announce(session)
      })
      return values
    } catch (error) {
      this.failure ??= error
      throw error
    }
  }

  /**
   * Ends this replica's part: the chief saves once more, every hook's `end` is called, the session is closed. If this replica was asked to stop, the
   * others learn it.
   * @param error what ended training, where it did not end well; what `run` threw is known already. Nothing is saved then.
   * @throws what the last checkpoint or a hook throws.
   */
  close(error?: unknown): Promise<void> {
    this.closing ??= this.shutDown(error ?? this.failure)
    return this.closing
  }
  /** @see close */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async execute<F extends StepFetches>(
    session: Session,
    fetches: F,
    feeds: Feeds,
  ): Promise<Fetched<F>> {
    const { signal } = this
    const all = { values: fetches, standing: this.progress.after(fetches) }
    const answer = await session.run(all, feeds, signal ? { signal } : {})
    const values = answer.values as Fetched<F>
    this.steps++
    this.sessions.progressed()
    this.globalStep = Number(answer.standing.step.item())
    this.metrics = scalarsOf(valuesOf(values))
    this.learn(Number(answer.standing.flag.item()) !== 0)
    return values
  }

  private async opened(session: Session): Promise<void> {
    const { step, stopped } = await this.progress.read(session)
    this.globalStep = step
    this.keeper?.begin(step)
    this.learn(stopped)
    await this.gate?.enter(session)
    this.log(`${this.name}: ready at step ${step}${this.isChief ? ', as chief' : ''}`)
  }

  private learn(stopped: boolean): void {
    // Variables that were restored have forgotten that this replica asked.
    this.announced = stopped
    if (stopped) this.reason ??= 'another replica has asked all to stop'
  }

  /** Who lives has changed. One change is dealt with after the other, in the session of the moment. */
  private adjust(): void {
    const { gate } = this
    if (!gate) return
    this.adjusting = this.adjusting.then(async () => {
      if (this.shouldStop || !this.sessions.isOpen) return
      try {
        await gate.adjust(this.session)
      } catch (error) {
        // The next session begins with it.
        this.log(`${this.name}: could not say which replicas are living: ${asError(error).message}`)
      }
    })
  }

  /** Tells the other replicas that training is to end. */
  private async announce(session: Session): Promise<void> {
    if (this.reason === undefined || this.announced) return
    await this.progress.raise(session)
    this.announced = true
    this.log(`${this.name}: asks all replicas to stop at step ${this.globalStep}: ${this.reason}`)
  }

  private async finish(session: Session): Promise<true> {
    await this.announce(session)
    if (this.shouldStop) await this.gate?.finish(session)
    await this.keeper?.end(session, this.globalStep, this.metrics)
    return true
  }

  private async shutDown(error: unknown): Promise<void> {
    let failure = error
    const attempt = async (work: () => Promise<unknown> | void): Promise<void> => {
      try {
        await work()
      } catch (thrown) {
        // The first error is the one that matters.
        failure ??= thrown
      }
    }
    // A session that is lost now is replaced, so that the last checkpoint is written nevertheless.
    this.unwatch()
    await this.adjusting
    if (error === undefined)
      await attempt(async () => {
        while (!(await this.sessions.surviving((session) => this.finish(session))));
      })
    for (const hook of this.hooks) await attempt(() => hook.end?.(this, failure))
    await this.sessions.close()
    // Who closes because of an error knows it.
    if (failure !== error) throw asError(failure)
  }
}

/** Opens a session for training that survives the loss of tasks. @throws as `MonitoredSession.start`, ValueError for both `sync` and `async`. */
export async function monitoredSession(options: MonitoredSessionOptions): Promise<MonitoredSession> {
  const monitored = new MonitoredSession(options)
  await monitored.start()
  return monitored
}

/** What replicas pass through that wait for each other. @throws ValueError for replicas of both kinds. */
function gateOf(
  { sync, async: replicas }: MonitoredSessionOptions,
  means: Omit<PresenceGateOptions, 'replicas'>,
): Gate | undefined {
  if (sync && replicas)
    throw new ValueError('a monitored session makes steps by `sync` or by `async`: give one of them')
  if (replicas) return new PresenceGate({ ...means, replicas })
  return sync && new ReplicaGate({ ...means, sync })
}

/** The values that are arrays: what only ran has none. */
const valuesOf = (values: object): StepValues =>
  Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, NDArray] => entry[1] instanceof NDArray),
  )

function sessionOptions({ server, session = {} }: MonitoredSessionOptions): typeof session {
  const { cluster, job, task, session: own } = server.def
  const open = cluster.taskCount('ps') > 0 && !own.deviceFilters
  return { ...(open && { deviceFilters: replicaFilters({ job, task }) }), ...session }
}
