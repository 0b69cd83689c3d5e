// Synchronous training in one call: each task computes the gradients of its own batch, all take the mean of them, and so the same step.
import type { Feeds, Node, Tensor, TensorLike, Variable } from '@shoal/core'
import { checkOptions, ndarray, type OptionRules, optionRules, Session, ValueError } from '@shoal/core'
import type { Dataset } from '@shoal/data'
import type { Group, WireType } from '@shoal/distributed'
import {
  allReduceGradients,
  connectMesh,
  Membership,
  Mesh,
  SupersededError,
  trainingTasks,
} from '@shoal/distributed'
import type { Clip, Feeding, Optimizer, StepValues, Watched } from '@shoal/train'
import { allVariables, lossGradients, readVariables, scalarsOf, writeVariables } from '@shoal/train'
import { taskName } from './taskContext.ts'
import type { TrainingTask } from './trainingTask.ts'

/** What replicas are trained of. All tasks build the same graph and give the same options, but for `data` and `weight`. */
export type ReplicaOptions<Batch> = ReplicaParts<Batch> & Feeding<Batch>

interface ReplicaParts<Batch> {
  /** What is to become small: a scalar, the mean over the batch of a task. */
  readonly loss: Tensor
  readonly optimizer: Optimizer
  /** The batches of this task, at least `steps` of them: `shard` gives each task its own, `repeat` does not end. */
  readonly data: Dataset<Batch>
  /** Steps in all, those of earlier attempts included. */
  readonly steps: number
  /** What each step fetches besides; what is one number is reported. */
  readonly watch?: Watched
  /** What else the session is used for: variables of these begin with it, and are in checkpoints. */
  readonly also?: readonly Tensor[]
  /** Of initial values and random numbers. Default 0. */
  readonly seed?: number
  /** Applied to the means. Default: none. */
  readonly clip?: Clip
  /** How many examples the batch of this task has, a scalar, where tasks have batches of different sizes. Default: all count alike. */
  readonly weight?: TensorLike
  /** What gradients travel in. Default: float32. */
  readonly wire?: WireType
  /** A checkpoint is kept after so many steps, and at the end. Default: a tenth of them. */
  readonly saveEverySteps?: number
  /** Numbers are reported after so many steps, and at the end. Default: a hundredth of them. */
  readonly reportEverySteps?: number
  /** Milliseconds in which the slowest task has done what the others wait for. Default 60,000. */
  readonly deadlineMs?: number
}

const rules: OptionRules<ReplicaParts<unknown> & { readonly feed?: unknown }> = {
  loss: optionRules.any,
  optimizer: optionRules.any,
  data: optionRules.any,
  steps: optionRules.whole(0),
  feed: optionRules.function,
  watch: optionRules.any,
  also: optionRules.any,
  seed: optionRules.whole(),
  clip: optionRules.any,
  weight: optionRules.any,
  wire: optionRules.any,
  saveEverySteps: optionRules.whole(1),
  reportEverySteps: optionRules.whole(1),
  deadlineMs: optionRules.from(1),
}

/** Whoever does not learn within so many milliseconds that all know of the end leaves nevertheless. */
const leavingMs = 5000

/** A replica that has been trained. Closing it closes its session. */
export interface Replica extends AsyncDisposable {
  /** Holds the weights, which are the same in all tasks, bit by bit. */
  readonly session: Session
  /** Is it the first of those who were there in the end? One of them has to say what came of it. */
  readonly isChief: boolean
}

/**
 * Trains as one of all tasks of job chief, master and worker, for a job whose tasks run together or not at all. A job that is begun again, because a
 * task was lost, goes on from the last checkpoint; as long as it is not, the tasks that are left train on, if they are more than half.
 * @throws ValueError for a task of another job, and for data that ends too soon; SupersededError where another attempt has taken over; DeadlineError
 * saying who was missing; what a step throws; the reason of the task's signal.
 */
export async function trainReplicas<Batch>(
  task: TrainingTask,
  options: ReplicaOptions<Batch>,
): Promise<Replica> {
  checkOptions('trainReplicas', options, rules)
  const { loss, optimizer, seed = 0, clip, weight, wire, also = [], deadlineMs = 60_000 } = options
  const members = trainingTasks(task.cluster).map(({ job, task: index }) => taskName({ job, index }))
  if (!members.includes(task.name))
    throw new ValueError(`'${task.name}' does not train, it serves: have it return task.serve()`)
  const mesh = new Mesh(task.name, task.means.clock)
  const membership = new Membership(mesh, { log: (line) => task.log(line) })
  const averaged = allReduceGradients(() => membership.group!, lossGradients(loss), {
    deadlineMs,
    ...(weight !== undefined && { weight }),
    ...(wire && { wire }),
  })
  const step = optimizer.apply(clip ? clip(averaged) : averaged)
  const watch: Watched = { loss, ...options.watch }
  const roots = [step, ...Object.values(watch), ...also]
  await using opened = new AsyncDisposableStack()
  const session = opened.use(new Session({ devices: await task.devices(), seed }))
  await session.initialize(...roots)
  const before = members.slice(0, members.indexOf(task.name))
  const { random } = task.means
  const listener = await connectMesh(mesh, task.name, task.transport, {
    others: before.map((other) => [other, other] as const),
    deadlineMs,
    random,
  })
  opened.defer(() => listener.close())
  const wait = { deadlineMs, signal: task.signal }
  await membership.form(members, wait)
  const run = new Run(task, session, { membership, wait, variables: allVariables(...roots) })
  await run.begin()
  await run.train({ ...options, watch, step })
  // All are here; and nobody leaves before all know it: those who do not would look for a group that goes on.
  await membership.step((group) => group.barrier('end', wait), wait)
  const { isChief } = run
  await membership.group!.barrier('leave', { ...wait, deadlineMs: leavingMs }).catch(() => undefined)
  const left = opened.move()
  return { session, isChief, [Symbol.asyncDispose]: () => left.disposeAsync() }
}

interface RunParts {
  readonly membership: Membership
  readonly wait: { readonly deadlineMs: number; readonly signal: AbortSignal }
  readonly variables: readonly Variable[]
}

/** The training of one replica, from the step where all stand. */
class Run {
  readonly #task: TrainingTask
  readonly #session: Session
  readonly #parts: RunParts
  #step = 0
  #savedStep: number | undefined

  constructor(task: TrainingTask, session: Session, parts: RunParts) {
    this.#task = task
    this.#session = session
    this.#parts = parts
  }

  get isChief(): boolean {
    return this.#parts.membership.group?.rank === 0
  }

  /** Has all begin with what the first of them has: the newest checkpoint, or initial values. */
  async begin(): Promise<void> {
    const { membership, wait, variables } = this.#parts
    const { checkpoints } = this.#task
    if (this.isChief && (await checkpoints.latest()) !== undefined) {
      const { step } = await checkpoints.restore(this.#session, variables)
      this.#step = step
      this.#savedStep = step
      this.#task.log(`goes on from the checkpoint of step ${step}`)
    }
    const values = await readVariables(this.#session, variables)
    const own = [ndarray([this.#step], 'float64'), ...values.values()]
    const send = (group: Group) => group.broadcast('state', own, wait)
    const [step, ...theirs] = await membership.step(send, wait)
    this.#step = step!.number()
    const named = new Map([...values.keys()].map((name, i) => [name, theirs[i]!]))
    await writeVariables(this.#session, variables, named)
  }

  async train<Batch>(
    options: ReplicaOptions<Batch> & { readonly watch: Watched; readonly step: Node },
  ): Promise<void> {
    const { data, steps, watch, step } = options
    const { saveEverySteps = tenth(steps), reportEverySteps = Math.ceil(steps / 100) } = options
    const feed = options.feed ?? ((batch: Batch) => batch as Feeds)
    const { membership, wait } = this.#parts
    const pace = new Pace(this.#task.means.clock, this.#step)
    let last: StepValues = {}
    for await (const batch of data.take(steps).iterate({ from: this.#step, signal: wait.signal })) {
      const feeds = feed(batch)
      const { values } = await membership.step(
        () => this.#session.run({ values: watch, step }, feeds, { signal: wait.signal }),
        wait,
      )
      last = values as StepValues
      this.#step++
      if (this.#step % reportEverySteps === 0 || this.#step === steps)
        this.#task.metrics(this.#step, { ...scalarsOf(last), stepsPerSecond: pace.at(this.#step) })
      if (this.#step % saveEverySteps === 0 && this.isChief) await this.#save(last)
    }
    if (this.#step < steps)
      throw new ValueError(
        `the data of '${this.#task.name}' ended at step ${this.#step} of ${steps}: repeat() it, or ask for fewer steps`,
      )
    if (this.isChief && this.#savedStep !== steps) await this.#save(last)
  }

  /** Keeps a checkpoint. One that cannot be kept ends no training, but a later attempt does. */
  async #save(values: StepValues): Promise<void> {
    try {
      await this.#task.checkpoints.save(this.#session, this.#parts.variables, {
        step: this.#step,
        metrics: scalarsOf(values),
      })
      this.#savedStep = this.#step
    } catch (error) {
      if (error instanceof SupersededError || this.#task.signal.aborted) throw error
      this.#task.log(`no checkpoint of step ${this.#step}: ${(error as Error).message}`)
    }
  }
}

const tenth = (steps: number): number => Math.max(1, Math.ceil(steps / 10))

/** Steps per second since it was asked last. */
class Pace {
  readonly #clock: { now(): number }
  #last: { readonly step: number; readonly atMs: number }

  constructor(clock: { now(): number }, step: number) {
    this.#clock = clock
    this.#last = { step, atMs: clock.now() }
  }

  at(step: number): number {
    const { step: before, atMs } = this.#last
    this.#last = { step, atMs: this.#clock.now() }
    return (1000 * (step - before)) / Math.max(1e-3, this.#last.atMs - atMs)
  }
}
