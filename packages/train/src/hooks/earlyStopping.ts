// Early stopping: training ends when it no longer helps.
import type { NDArray, Variable } from '@shoal/core'
import { ValueError } from '@shoal/core'
import { readVariables, writeVariables } from '../checkpoint/values.ts'
import type { Hook } from '../hook.ts'

/** What is watched and how patiently. */
export interface EarlyStoppingOptions {
  /** The metric of an epoch to watch: `loss`, or one of those that `validate` answers, `validation loss` if training has a `loss` too. */
  readonly metric: string
  /** Is less better (`min`, the default) or more? */
  readonly mode?: 'min' | 'max'
  /** How many epochs in a row may bring nothing; default 0: the first that does ends training. */
  readonly patience?: number
  /** Only a change by more than this counts as better; default 0. */
  readonly minDelta?: number
  /** Variables that get back, at the end, the values they had after the best epoch. Default: none. */
  readonly restoreBest?: readonly Variable[]
}

/**
 * Ends training when a metric was not better than its best for more than `patience` epochs in a row; NaN is never better.
 * Training throws ValueError when an epoch does not have the metric.
 */
export function earlyStopping({
  metric,
  mode = 'min',
  patience = 0,
  minDelta = 0,
  restoreBest = [],
}: EarlyStoppingOptions): Hook {
  const sign = mode === 'min' ? 1 : -1
  let best = Number.POSITIVE_INFINITY
  let bestStep: number | undefined
  let values = new Map<string, NDArray>()
  let waited = 0
  return {
    begin() {
      ;[best, bestStep, waited] = [Number.POSITIVE_INFINITY, undefined, 0]
      values = new Map()
    },
    async epochEnd(run, metrics) {
      const value = metrics[metric]
      if (value === undefined)
        throw new ValueError(
          `early stopping watches '${metric}'; the epoch has ${Object.keys(metrics).join(', ') || 'no metrics'}`,
        )
      if (sign * value < best - minDelta || (bestStep === undefined && !Number.isNaN(value))) {
        ;[best, bestStep, waited] = [sign * value, run.step, 0]
        if (restoreBest.length > 0) values = await readVariables(run.session, restoreBest)
      } else if (++waited > patience) {
        run.stop(`${metric} was not better than ${sign * best} for ${waited} epochs`)
      }
    },
    async end(run) {
      if (values.size > 0 && bestStep !== run.step) await writeVariables(run.session, restoreBest, values)
    },
  }
}
