// Rungs of a ladder, each some times as far as the one before: from every rung only the best go on, decided as trials arrive.
// Li et al., A System for Massively Parallel Hyperparameter Tuning (ASHA), 2020, and Hyperband, 2018, whose brackets are ladders of several beginnings.
import { checkOptions, optionRules, ValueError } from '@shoal/core'
import { Random } from '../random.ts'
import type { TrialRecord } from '../trial.ts'
import type { Pruner, Race } from './pruner.ts'

/** How a ladder stands. */
export interface SuccessiveHalvingOptions {
  /** The step of the first rung. Default 1. */
  readonly first?: number
  /** One of so many goes on, and each rung is so many times as far as the one before. Default 4. */
  readonly factor?: number
}

/** How brackets stand. */
export interface HyperbandOptions extends SuccessiveHalvingOptions {
  /** The step at which trials end by themselves. */
  readonly last: number
}

const stepRule = {
  wanted: 'a number above 0',
  accepts: (value: unknown): boolean => typeof value === 'number' && value > 0,
}
const rules = { first: stepRule, factor: optionRules.whole(2) }

/**
 * Stops a trial at a rung (steps `first`, `first · factor`, `first · factor²`, …) unless it is among the best 1/factor of those that have come
 * there so far, or the best of all. Nobody waits for anybody.
 * @throws ValueError for options that make no sense
 */
export function successiveHalvingPruner(options: SuccessiveHalvingOptions = {}): Pruner {
  checkOptions('successiveHalvingPruner', options, rules)
  const { first = 1, factor = 4 } = options
  return { name: 'successive halving', keep: (race) => climbs(race, race.trials, first, factor) }
}

/**
 * Several ladders side by side, from one that stops most trials early to one that stops none before `last`: for when nobody knows whether early reports tell
 * anything. A trial's number says which ladder it climbs; earlier ones have more trials, so that all take about as many steps.
 * @throws ValueError for options that make no sense
 */
export function hyperbandPruner(options: HyperbandOptions): Pruner {
  checkOptions('hyperbandPruner', options, { ...rules, last: stepRule })
  const { first = 1, factor = 3, last } = options
  if (!(last >= first))
    throw new ValueError(`hyperbandPruner: last must not be before first, ${first}, got ${last}`)
  const brackets = Math.floor(Math.log(last / first) / Math.log(factor) + 1e-9) + 1
  // Li et al. 2018, algorithm 1: bracket s begins with ceil(brackets / (s + 1) · factor^s) trials.
  const shares = Array.from({ length: brackets }, (_, b) => {
    const s = brackets - 1 - b
    return Math.ceil((brackets / (s + 1)) * factor ** s)
  })
  const total = shares.reduce((sum, share) => sum + share, 0)
  const bracketOf = ({ number }: TrialRecord): number => {
    let left = new Random(brackets, number).uniform() * total
    return shares.findIndex((share) => (left -= share) < 0)
  }
  return {
    name: 'hyperband',
    keep(race) {
      const bracket = bracketOf(race.trial)
      const own = race.trials.filter((trial) => bracketOf(trial) === bracket)
      return climbs(race, own, first * factor ** bracket, factor)
    },
  }
}

/** Does the trial go on from the rungs that its last report has reached? */
function climbs(
  { trial, sign }: Race,
  trials: readonly TrialRecord[],
  first: number,
  factor: number,
): boolean {
  const [step] = trial.reports.at(-1)!
  const before = trial.reports.at(-2)?.[0] ?? -Infinity
  for (let rung = first; rung <= step; rung *= factor) {
    if (before >= rung) continue
    const own = lossOn(trial, rung, sign)!
    const there = trials.flatMap((other) => lossOn(other, rung, sign) ?? [])
    const better = there.filter((loss) => loss < own).length
    if (better >= Math.max(1, Math.floor(there.length / factor))) return false
  }
  return true
}

/** What a trial reported when it came to a rung. */
function lossOn({ reports }: TrialRecord, rung: number, sign: number): number | undefined {
  const report = reports.find(([step]) => step >= rung)
  return report && report[1] * sign
}
