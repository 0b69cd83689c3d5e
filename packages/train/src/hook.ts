// Hooks: what happens around the steps of training, each thing in an object of its own.
import type { Feeds, NDArray, Session } from '@shoal/core'
import { dtypes } from '@shoal/core'

/** Numbers by name: what steps and epochs are judged by. */
export type Metrics = Readonly<Record<string, number>>
/** The values of one step, by the names under which they are fetched. */
export type StepValues = Readonly<Record<string, NDArray>>

/** Where training stands, and how to end it. */
export interface TrainingRun {
  readonly session: Session
  readonly epochs: number
  /** The present epoch, counted from 0. */
  readonly epoch: number
  /** Steps done, those before a resumed start included. */
  readonly step: number
  /** Batches done in this epoch, those before a resumed start included. */
  readonly batch: number
  /** The batches of this epoch that were done before a resumed start; the means of the epoch are not over them. */
  readonly skipped: number
  /** How many batches an epoch has; undefined when only counting would tell. */
  readonly batches: number | undefined
  /**
   * Known at the end of an epoch: did it leave batches out, because it was resumed or stopped in the middle? Where nobody knows how many there
   * are, an epoch that was stopped counts as partial.
   */
  readonly partial: boolean
  /** Why training is to end, once someone asked for it. */
  readonly stopped: string | undefined
  readonly signal: AbortSignal | undefined
  /** Ends training after the present step; the first reason counts. */
  stop(reason: string): void
}

type Work = void | Promise<void>

/** Called around steps; what a hook throws ends training. Hooks are called in their order. */
export interface Hook {
  /** Before the first epoch. */
  begin?(run: TrainingRun): Work
  epochBegin?(run: TrainingRun): Work
  /** Before each step, with what it will be fed. */
  beforeRun?(run: TrainingRun, feeds: Feeds): Work
  /** After each step, which `run.step` counts already. */
  afterRun?(run: TrainingRun, values: StepValues, feeds: Feeds): Work
  /** After each epoch, with the means over its batches and what `validate` found, under `validation <name>` where the means have the name. Also after an epoch that was cut short by `stop`. */
  epochEnd?(run: TrainingRun, metrics: Metrics): Work
  /** At the end in any case; `error` is what ended training when it did not end well. */
  end?(run: TrainingRun, error?: unknown): Work
}

/** The values that are one number. */
export function scalarsOf(values: StepValues): Metrics {
  const scalars = Object.entries(values).filter(([, x]) => x.size === 1 && dtypes[x.dtype].kind !== 'string')
  return Object.fromEntries(scalars.map(([name, x]) => [name, Number(x.item())]))
}

/** ` (partial: batches 3 to 5 of 9)` for an epoch that left some out; nothing for a whole one. */
export const formatPart = ({ partial, skipped, batch, batches }: TrainingRun): string =>
  partial
    ? ` (partial: batches ${skipped + 1} to ${batch}${batches === undefined ? '' : ` of ${batches}`})`
    : ''

/** `loss 0.2512, accuracy 0.9375`: four significant digits. */
export const formatMetrics = (metrics: Metrics): string =>
  Object.entries(metrics)
    .map(([name, x]) => `${name} ${Number.isInteger(x) ? x : x.toPrecision(4)}`)
    .join(', ')
