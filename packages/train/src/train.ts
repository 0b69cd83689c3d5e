// The training loop: batches in, steps run, hooks called. All else is done by hooks.
import type { Feeds, Node, Session, Tensor, Variable } from '@shoal/core'
import { ValueError } from '@shoal/core'
import type { Dataset } from '@shoal/data'
import type { Hook, Metrics, StepValues, TrainingRun } from './hook.ts'
import { scalarsOf } from './hook.ts'
import { Means } from './metrics/means.ts'

/** Tensors to fetch, by name. */
export type Watched = { readonly [name: string]: Tensor | Variable }

/** What a batch feeds: left out where batches are feeds already, records of values by the names of placeholders. */
export type Feeding<Batch> = Batch extends Feeds
  ? { readonly feed?: (batch: Batch) => Feeds }
  : { readonly feed: (batch: Batch) => Feeds }

/** How a dataset goes through a graph. */
export type PassOptions<Batch> = PassParts<Batch> & Feeding<Batch>

interface PassParts<Batch> {
  readonly session: Session
  /** What each step fetches. Of those that are one number, means are taken over the batches. */
  readonly fetches: Watched
  /** Its elements are batches. */
  readonly data: Dataset<Batch>
  /**
   * How much a batch counts in the means: its number of examples, where the last batch is smaller and the mean is to be that over all examples
   * (`({ image }) => image.shape[0]!`, of fetches that are means over their batch). Default: each batch counts the same.
   */
  readonly weight?: (batch: Batch) => number
  readonly signal?: AbortSignal
}

/** What training is made of. */
export type TrainOptions<Batch> = TrainParts<Batch> & Feeding<Batch>

interface TrainParts<Batch> extends PassParts<Batch> {
  /** What each step runs: a train op, or several of them as a `group`. */
  readonly step: Node
  /** How often to go through the data, a resumed start included. */
  readonly epochs: number
  readonly hooks?: readonly Hook[]
  /**
   * More metrics for the end of each epoch, from data held back: `() => evaluate({ … })`. One of the same name as a mean of training
   * is called `validation <name>`.
   */
  readonly validate?: (run: TrainingRun) => Promise<Metrics>
  /** Steps that were done before, in the order of a whole training: it goes on with the batch after them. Default 0. */
  readonly startStep?: number
}

/** What is left of one epoch. */
export interface EpochRecord {
  /** Counted from 0. */
  readonly epoch: number
  /** Steps done at its end. */
  readonly step: number
  /** Did it leave batches out, because training was resumed or stopped in the middle of it? */
  readonly partial: boolean
  /** Means over its batches, and what `validate` found: under its own name, or `validation <name>` where training has the name. */
  readonly metrics: Metrics
}
/** How training went. */
export interface History {
  readonly epochs: readonly EpochRecord[]
  /** Steps done, those before the start included. */
  readonly steps: number
  /** Why it ended early, when a hook ended it. */
  readonly stopped: string | undefined
}

/**
 * Trains: for each epoch and each batch it runs `step` and the fetches with what the batch feeds. Variables must have values: run
 * `session.initialize(step)` or restore a checkpoint before.
 * @throws ValueError for data without a single batch; what a step, a hook or the data throw; the reason of `signal` once it aborts. `end` of every hook is called in any case.
 */
export async function train<Batch>(options: TrainOptions<Batch>): Promise<History> {
  const { hooks = [] } = options
  const run = new Run(options)
  const records: EpochRecord[] = []
  let error: unknown
  try {
    await each(hooks, (hook) => hook.begin?.(run))
    for (; run.epoch < options.epochs && run.stopped === undefined; run.nextEpoch())
      records.push(await runEpoch(options, run))
  } catch (thrown) {
    error = thrown ?? new ValueError('a hook, a step or the data threw nothing at all')
  }
  for (const hook of hooks)
    try {
      await hook.end?.(run, error)
    } catch (thrown) {
      // The first error is the one that matters.
      error ??= thrown
    }
  if (error !== undefined) throw error
  return { epochs: records, steps: run.step, stopped: run.stopped }
}

/**
 * The means of what is fetched, over all batches of a dataset. Nothing is trained. Each batch counts the same, a smaller last one too: `weight`
 * makes examples count the same instead.
 * @throws as `train` does.
 */
export async function evaluate<Batch>(options: PassOptions<Batch>): Promise<Metrics> {
  const { session, fetches, data, signal } = options
  const feed = feedOf(options)
  const means = new Means()
  let batches = 0
  for await (const batch of data.iterate({ ...(signal && { signal }), epoch: 0 })) {
    means.add(
      scalarsOf((await session.run(fetches, feed(batch), signal ? { signal } : {})) as StepValues),
      weightOf(options, batch),
    )
    batches++
  }
  if (batches === 0) throw new ValueError('there is nothing to evaluate: the data has no batches')
  return means.means
}

/** What a batch feeds: itself, unless something else is said. */
const feedOf = <Batch>({
  feed,
}: {
  readonly feed?: ((batch: Batch) => Feeds) | undefined
}): ((batch: Batch) => Feeds) => feed ?? ((batch) => batch as Feeds)

function weightOf<Batch>({ weight }: PassParts<Batch>, batch: Batch): number {
  const value = weight?.(batch) ?? 1
  if (Number.isFinite(value) && value > 0) return value
  throw new ValueError(`the weight of a batch is ${value}; it must be a positive number`)
}

async function runEpoch<Batch>(options: TrainOptions<Batch>, run: Run): Promise<EpochRecord> {
  const { session, step, fetches, data, hooks = [], signal, validate } = options
  const feed = feedOf(options)
  const aborting = signal ? { signal } : {}
  const means = new Means()
  await each(hooks, (hook) => hook.epochBegin?.(run))
  for await (const batch of data.iterate({ ...aborting, epoch: run.epoch, from: run.batch })) {
    const feeds = feed(batch)
    await each(hooks, (hook) => hook.beforeRun?.(run, feeds))
    const { values } = await session.run({ values: fetches, step }, feeds, aborting)
    run.stepDone()
    means.add(scalarsOf(values as StepValues), weightOf(options, batch))
    await each(hooks, (hook) => hook.afterRun?.(run, values as StepValues, feeds))
    if (run.stopped !== undefined) break
  }
  run.endEpoch()
  const metrics = joined(means.means, (await validate?.(run)) ?? {})
  await each(hooks, (hook) => hook.epochEnd?.(run, metrics))
  return { epoch: run.epoch, step: run.step, partial: run.partial, metrics }
}

/** Neither training nor validation hides what the other says. */
function joined(training: Metrics, validation: Metrics): Metrics {
  const renamed = Object.entries(validation).map(
    ([name, x]) => [Object.hasOwn(training, name) ? `validation ${name}` : name, x] as const,
  )
  return { ...training, ...Object.fromEntries(renamed) }
}

async function each(hooks: readonly Hook[], call: (hook: Hook) => void | Promise<void>): Promise<void> {
  for (const hook of hooks) await call(hook)
}

/** The state that hooks see. */
class Run implements TrainingRun {
  readonly session: Session
  readonly epochs: number
  readonly batches: number | undefined
  readonly signal: AbortSignal | undefined
  epoch = 0
  batch = 0
  skipped = 0
  partial = false
  step: number
  stopped: string | undefined

  constructor({
    session,
    epochs,
    data,
    signal,
    startStep = 0,
  }: Omit<TrainParts<never>, 'data'> & { readonly data: { readonly size: number | undefined } }) {
    for (const [what, x] of Object.entries({ epochs, startStep }))
      if (!Number.isSafeInteger(x) || x < 0)
        throw new ValueError(`${what} is ${x}; it must be a whole number, not negative`)
    this.session = session
    this.epochs = epochs
    this.batches = data.size
    this.signal = signal
    this.step = startStep
    if (data.size === 0 && epochs > 0)
      throw new ValueError('there is nothing to train on: the data has no batches')
    if (startStep === 0) return
    if (data.size === undefined)
      throw new ValueError(
        'startStep needs a dataset whose size is known, to tell the epoch: cache it, or take a stated number of batches',
      )
    this.epoch = Number.isFinite(data.size) ? Math.floor(startStep / data.size) : 0
    this.batch = startStep - (this.epoch === 0 ? 0 : this.epoch * data.size)
    this.skipped = this.batch
  }
  stop(reason: string): void {
    this.stopped ??= reason
  }
  stepDone(): void {
    this.step++
    this.batch++
  }
  endEpoch(): void {
    if (this.batch === this.skipped)
      throw new ValueError(
        `there is nothing to train on: the data gave no batches in epoch ${this.epoch + 1}, after ${this.step} steps`,
      )
    const { skipped, stopped, batch, batches } = this
    this.partial = skipped > 0 || (stopped !== undefined && (batches === undefined || batch < batches))
  }
  nextEpoch(): void {
    this.epoch++
    this.batch = 0
    this.skipped = 0
    this.partial = false
  }
}
