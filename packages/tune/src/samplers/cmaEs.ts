// Evolution by covariance matrix adaptation: a normal distribution that moves and stretches towards what was good, generation by generation. For numbers, some hundred trials and more.
import { checkOptions, optionRules, ValueError } from '@shoal/core'
import { Random } from '../random.ts'
import { ranked } from '../ranking.ts'
import { sizeOf } from '../space/domain.ts'
import type { Parameter } from '../space/space.ts'
import { decodeAll, encodeAll } from '../space/space.ts'
import type { TrialRecord } from '../trial.ts'
import { hasEnded } from '../trial.ts'
import type { Evolution, Strategy } from './evolution.ts'
import { axesOf, beginning, evolved, placeAt, strategyFor } from './evolution.ts'
import type { Sampler, Search } from './sampler.ts'
import { demandOneObjective } from './sampler.ts'

/** How evolution goes. */
export interface CmaEsOptions {
  /** How many trials make a generation. Default 4 + 3·ln(number of parameters), rounded down. */
  readonly population?: number
  /** How wide the first generation is, of a parameter's whole range. Default 0.25. */
  readonly sigma?: number
  /** Begins anew, with twice the population, when a generation has become so narrow: Auger and Hansen, 2005. Default 1e-6; 0 never does. */
  readonly restartBelow?: number
}

/**
 * Covariance matrix adaptation over the numbers of a space that are always there; categories, branches and what depends on them are drawn by chance. It learns
 * how numbers go together and at which scale. Trials of a generation may run at the same time.
 * @throws ValueError for options that make no sense; when asked: for several objectives, and for a space without numbers
 */
export function cmaEsSampler(options: CmaEsOptions = {}): Sampler {
  checkOptions('cmaEsSampler', options, {
    population: optionRules.whole(4),
    sigma: { wanted: 'a number above 0', accepts: (value) => typeof value === 'number' && value > 0 },
    restartBelow: optionRules.from(0),
  })
  // What a study has gone through is told again from its trials; as long as they are the same, it need not be.
  const known = new WeakMap<readonly Parameter[], History>()
  return {
    name: 'cma-es',
    propose(search) {
      demandOneObjective('cmaEsSampler', search)
      const { parameters, random, trials } = search
      const axes = parameters.flatMap(({ domain, when }, axis) =>
        when === undefined && domain.kind !== 'categorical' ? [axis] : [],
      )
      if (axes.length === 0)
        throw new ValueError('cmaEsSampler needs numbers that are always there: take tpeSampler')
      const history = known.get(parameters) ?? new History(axes, options, search)
      known.set(parameters, history)
      const state = history.after(trials, search)
      const place = insidePlace(state.evolution, random)
      const units = new Map(axes.map((axis, i) => [axis, place[i]!]))
      return {
        values: decodeAll(parameters, (axis) => units.get(axis) ?? random.uniform()),
        note: { generation: state.total },
      }
    },
  }
}

/** A place within the walls: drawn again some times, then put at the wall. */
function insidePlace(evolution: Evolution, random: Random): Float64Array {
  for (let tries = 0; ; tries++) {
    const place = placeAt(
      evolution,
      Array.from(evolution.mean, () => random.normal()),
    )
    if (place.every((unit) => unit >= 0 && unit <= 1)) return place
    if (tries === 100) return place.map((unit) => Math.min(1, Math.max(0, unit)))
  }
}

interface State {
  readonly evolution: Evolution
  readonly strategy: Strategy
  /** Counts generations over all restarts. */
  readonly total: number
  readonly restarts: number
}

/** The generations of a study: each is told when as many of its trials have ended as make one. */
class History {
  readonly #axes: readonly number[]
  readonly #restartBelow: number
  readonly #sigma: number
  readonly #states: State[]
  /** Who made each generation, to see whether that still holds. */
  readonly #members: (readonly number[])[] = []

  constructor(axes: readonly number[], options: CmaEsOptions, { seed }: Search) {
    const {
      population = Math.floor(4 + 3 * Math.log(axes.length)),
      sigma = 0.25,
      restartBelow = 1e-6,
    } = options
    this.#axes = axes
    this.#sigma = sigma
    this.#restartBelow = restartBelow
    this.#states = [{ ...this.#begin(0, population, seed), total: 0, restarts: 0 }]
  }

  after(trials: readonly TrialRecord[], search: Search): State {
    const byGeneration = Map.groupBy(
      trials.filter((trial) => hasEnded(trial)),
      ({ note }) => note['generation'],
    )
    for (let total = 0; ; total++) {
      const state = this.#states[total]!
      const { population } = state.strategy
      // In the order of their numbers, for who ended first is chance; failed trials come last, and can only fill up.
      const ended = byGeneration.get(total) ?? []
      const [good, failed] = [
        ended.filter(({ state: at }) => at !== 'failed'),
        ended.filter(({ state: at }) => at === 'failed'),
      ]
      const members = [...ranked(good, search.directions), ...failed].slice(
        0,
        Math.max(population, good.length),
      )
      if (members.length < population || good.length < state.strategy.weights.length) {
        this.#states.length = total + 1
        this.#members.length = total
        return state
      }
      const numbers = members.map(({ number }) => number)
      const same = this.#members[total]?.every((number, i) => number === numbers[i]) ?? false
      if (same && this.#states[total + 1]) continue
      this.#members[total] = numbers
      this.#states[total + 1] = this.#next(state, members, search)
      this.#states.length = total + 2
    }
  }

  #next(state: State, members: readonly TrialRecord[], { parameters, seed }: Search): State {
    const places = members.map(({ values }) => {
      const point = encodeAll(parameters, values)
      return this.#axes.map((axis) => point[axis]!)
    })
    const { strategy, total, restarts } = state
    const next = widened(evolved(state.evolution, places, strategy), parameters, this.#axes)
    const widest = next.sigma * Math.max(...next.scales)
    if (widest >= this.#restartBelow) return { evolution: next, strategy, total: total + 1, restarts }
    return {
      ...this.#begin(restarts + 1, 2 * strategy.population, seed),
      total: total + 1,
      restarts: restarts + 1,
    }
  }

  #begin(restarts: number, population: number, seed: number): Pick<State, 'evolution' | 'strategy'> {
    // The first begins in the middle, the others anywhere.
    const random = new Random(seed, -1 - restarts)
    const mean = this.#axes.map(() => (restarts === 0 ? 0.5 : random.uniform()))
    return { evolution: beginning(mean, this.#sigma), strategy: strategyFor(mean.length, population) }
  }
}

/**
 * Keeps discrete numbers from standing still between two values: along each of them a deviation of a fifth of a value's stretch is the least. In the spirit of
 * Hamano et al., CMA-ES with Margin, 2022.
 */
function widened(evolution: Evolution, parameters: readonly Parameter[], axes: readonly number[]): Evolution {
  const size = axes.length
  const covariance = Float64Array.from(evolution.covariance)
  let changed = false
  axes.forEach((axis, i) => {
    const values = sizeOf(parameters[axis]!.domain)
    const least = values === Infinity || values === 1 ? 0 : 0.2 / values / evolution.sigma
    if (covariance[i * size + i]! >= least ** 2) return
    covariance[i * size + i] = least ** 2
    changed = true
  })
  return changed ? { ...evolution, ...axesOf(covariance, size), covariance } : evolution
}
