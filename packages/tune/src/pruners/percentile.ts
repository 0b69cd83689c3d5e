// Stops a trial that is behind where most others were at the same step. Golovin et al., Google Vizier, 2017, section 3.2.1.
import { checkOptions, optionRules } from '@shoal/core'
import type { TrialRecord } from '../trial.ts'
import type { Pruner } from './pruner.ts'

/** When trials are compared. */
export interface MedianOptions {
  /** Complete trials that are there before the first is stopped. Default 5. */
  readonly startup?: number
  /** Nothing is stopped before this step. Default 0. */
  readonly warmup?: number
}

/** As `MedianOptions`, and how strict. */
export interface PercentileOptions extends MedianOptions {
  /** Of the complete trials, how many percent a trial must not be behind: 25 keeps what is as good as the best quarter. */
  readonly percentile: number
}

/**
 * Stops a trial whose best report so far is worse than what the best `percentile` percent of complete trials had reported by that step.
 * @throws ValueError for options that make no sense
 */
export function percentilePruner(options: PercentileOptions): Pruner {
  checkOptions('percentilePruner', options, {
    percentile: {
      wanted: 'a number from 0 to 100',
      accepts: (p) => typeof p === 'number' && p >= 0 && p <= 100,
    },
    startup: optionRules.whole(1),
    warmup: optionRules.from(0),
  })
  const { percentile, startup = 5, warmup = 0 } = options
  return {
    name: 'percentile',
    keep({ trial, trials, sign }) {
      const step = trial.reports.at(-1)![0]
      const complete = trials.filter(({ state }) => state === 'complete')
      if (complete.length < startup || step < warmup) return true
      const losses = complete.flatMap((other) => lossAt(other, step, sign) ?? [])
      if (losses.length === 0) return true
      const best = Math.min(...trial.reports.map(([, value]) => value * sign))
      return best <= quantile(losses, percentile / 100)
    },
  }
}

/** Stops a trial that is worse than half of the complete ones were. @throws ValueError for options that make no sense */
export const medianPruner = (options: MedianOptions = {}): Pruner => ({
  ...percentilePruner({ ...options, percentile: 50 }),
  name: 'median',
})

/** What a trial that came so far had reported last at this step. */
function lossAt({ reports }: TrialRecord, step: number, sign: number): number | undefined {
  if (reports.length === 0 || reports.at(-1)![0] < step) return undefined
  const report = reports.findLast(([at]) => at <= step)
  return report && report[1] * sign
}

/** Between neighbours the line that joins them. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const below = sorted[Math.floor(at)]!
  return below + (sorted[Math.ceil(at)]! - below) * (at - Math.floor(at))
}
