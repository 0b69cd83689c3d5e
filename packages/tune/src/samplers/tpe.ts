// Tree-structured Parzen estimation: learns where good trials lie and where the others do, and tries what is likeliest to be good and unlikely to be bad.
// Bergstra et al., Algorithms for Hyper-Parameter Optimization, 2011; options as in Watanabe, Tree-Structured Parzen Estimator, 2023.
import { checkOptions, optionRules } from '@shoal/core'
import type { Random } from '../random.ts'
import { ranked } from '../ranking.ts'
import type { Parameter, Values } from '../space/space.ts'
import { decodeAll, encodeAll, isActive } from '../space/space.ts'
import { decode, encode } from '../space/domain.ts'
import type { Scalar } from '../space/domain.ts'
import type { TrialRecord } from '../trial.ts'
import { signOf } from '../trial.ts'
import { ParzenEstimator } from './parzen.ts'
import { evenValues } from './quasiRandom.ts'
import type { Sampler, Search } from './sampler.ts'
import { completeOf, openOf } from './sampler.ts'

/** How Parzen estimation goes. */
export interface TpeOptions {
  /** Learns how parameters go together, rather than each on its own. Default true. */
  readonly multivariate?: boolean
  /** Trials that are spread evenly before anything is learnt. Default 10. */
  readonly startup?: number
  /** How many places are looked at for each proposal. Default 24. */
  readonly candidates?: number
}

/** Of so many trials so many are called good: a tenth, and never fewer than can have a spread. */
const goodOf = (count: number): number => Math.min(25, Math.max(3, Math.ceil(0.1 * count)))

/**
 * Bayesian search by two densities, one of the best tenth of trials and one of the others: cheap, at ease with categories, branches and
 * several objectives. Pruned trials count as worse than complete ones, failed ones as bad, and so do those that run (a constant liar), so that
 * parallel trials keep apart.
 * @throws ValueError for options that make no sense
 */
export function tpeSampler(options: TpeOptions = {}): Sampler {
  checkOptions('tpeSampler', options, {
    multivariate: optionRules.boolean,
    startup: optionRules.whole(1),
    candidates: optionRules.whole(1),
  })
  const { multivariate = true, startup = 10, candidates = 24 } = options
  return {
    name: 'tpe',
    propose(search) {
      const known = inOrder(search)
      if (known.length < startup) return { values: evenValues(search) }
      const good = known.slice(0, goodOf(known.length))
      const failed = search.trials.filter(({ state }) => state === 'failed')
      const others = [...known.slice(good.length), ...failed, ...openOf(search)]
      const model = new Contrast(search.parameters, good, others, search.random, candidates)
      return { values: multivariate ? model.jointly() : model.oneByOne() }
    },
  }
}

/** Trials that say something, the best first: complete ones, then pruned ones, those that came further first. */
function inOrder(search: Search): readonly TrialRecord[] {
  const sign = signOf(search.directions[0]!)
  const pruned = search.trials.flatMap((trial) => {
    const last = trial.reports.at(-1)
    return trial.state === 'pruned' && last ? [{ trial, step: last[0], loss: last[1] * sign }] : []
  })
  pruned.sort((a, b) => b.step - a.step || a.loss - b.loss || a.trial.number - b.trial.number)
  return [...ranked(completeOf(search), search.directions), ...pruned.map(({ trial }) => trial)]
}

/** What tells good trials from others. */
class Contrast {
  readonly #parameters: readonly Parameter[]
  readonly #good: readonly TrialRecord[]
  readonly #others: readonly TrialRecord[]
  readonly #random: Random
  readonly #candidates: number

  constructor(
    parameters: readonly Parameter[],
    good: readonly TrialRecord[],
    others: readonly TrialRecord[],
    random: Random,
    candidates: number,
  ) {
    this.#parameters = parameters
    this.#good = good
    this.#others = others
    this.#random = random
    this.#candidates = candidates
  }

  /** All parameters together. */
  jointly(): Values {
    const [good, bad] = this.#densities(this.#parameters, byRank)
    return this.#best(
      () => decodeAll(this.#parameters, good.draw(this.#random)),
      (values) => {
        const point = encodeAll(this.#parameters, values)
        return good.logDensity(point) - bad.logDensity(point)
      },
    )
  }

  /** One parameter after another; what depends on a branch that is not taken is left out. */
  oneByOne(): Values {
    const values: Record<string, Scalar> = {}
    for (const parameter of this.#parameters) {
      if (!isActive(parameter, values)) continue
      const { path, domain } = parameter
      const [good, bad] = this.#densities([parameter], byAge)
      values[path] = this.#best(
        () => decode(domain, good.draw(this.#random)(0)),
        (value) => {
          const point = [encode(domain, value)]
          return good.logDensity(point) - bad.logDensity(point)
        },
      )
    }
    return values
  }

  /** Of the trials that have one of the parameters, the others the more they count the newer they are. */
  #densities(
    parameters: readonly Parameter[],
    weighGood: Weigh,
  ): readonly [good: ParzenEstimator, bad: ParzenEstimator] {
    const density = (trials: readonly TrialRecord[], weigh: Weigh): ParzenEstimator => {
      const own = trials.filter(({ values }) => parameters.some(({ path }) => values[path] !== undefined))
      return new ParzenEstimator(
        parameters.map(({ domain }) => domain),
        own.map(({ values }) => encodeAll(parameters, values)),
        weigh(own),
      )
    }
    return [density(this.#good, weighGood), density(this.#others, byAge)]
  }

  #best<T>(draw: () => T, gain: (candidate: T) => number): T {
    const drawn = Array.from({ length: this.#candidates }, draw)
    const gains = drawn.map(gain)
    return drawn[gains.indexOf(Math.max(...gains))]!
  }
}

/** What each trial counts, above 0. */
type Weigh = (trials: readonly TrialRecord[]) => readonly number[]

/** The better the more: trials are in order. Of parameters taken one by one it would make too much, as each says little of a trial. */
const byRank: Weigh = (trials) => trials.map((_, rank) => 1 - rank / trials.length)

/** The newest 25 trials count fully, older ones the less the older they are. */
function byAge(trials: readonly TrialRecord[]): readonly number[] {
  const old = trials.length - 25
  const age = new Map(trials.toSorted((a, b) => a.number - b.number).map((trial, i) => [trial, i]))
  return trials.map((trial) => Math.min(1, (age.get(trial)! + 1) / Math.max(1, old)))
}
