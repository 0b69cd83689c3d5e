// Bayesian search by Gaussian processes: models the objective from all trials, and tries where most improvement is to be expected. Dear, and it finds much in few trials.
// Jones et al., Efficient Global Optimization of Expensive Black-Box Functions, 1998.
import { checkOptions, optionRules } from '@shoal/core'
import { logImprovement, logProbability } from '../gaussian/improvement.ts'
import type { Point } from '../gaussian/kernel.ts'
import { GaussianProcess, learn } from '../gaussian/regression.ts'
import type { Slope } from '../numeric/minimize.ts'
import { minimize } from '../numeric/minimize.ts'
import type { Random } from '../random.ts'
import { sizeOf } from '../space/domain.ts'
import type { Parameter, Values } from '../space/space.ts'
import { decodeAll, encodeAll } from '../space/space.ts'
import type { TrialRecord } from '../trial.ts'
import { lossesOf, violationOf } from '../trial.ts'
import { haltonNumber, evenValues } from './quasiRandom.ts'
import type { Sampler, Search } from './sampler.ts'
import { completeOf, openOf } from './sampler.ts'

/** How the process is used. */
export interface GaussianProcessOptions {
  /** Trials that are spread evenly before anything is learnt. Default 10. */
  readonly startup?: number
  /** How many places are looked at before the best are improved. Default 1000. */
  readonly candidates?: number
}

/** So many of the best candidates are improved by their slopes. */
const climbers = 6
/** Numbers with fewer values are tried one by one, not climbed on. */
const fewValues = 17

/**
 * Bayesian search by expected improvement under a Gaussian process, for up to some hundred trials of some twenty parameters. Trials that run count as average
 * (a constant liar), those that failed as bad. Constraints are learnt, too: improvement counts as far as they are likely to be kept. Several objectives become one by
 * weights that chance draws for each trial (Knowles, ParEGO, 2006).
 * @throws ValueError for options that make no sense
 */
export function gaussianProcessSampler(options: GaussianProcessOptions = {}): Sampler {
  checkOptions('gaussianProcessSampler', options, {
    startup: optionRules.whole(2),
    candidates: optionRules.whole(1),
  })
  const { startup = 10, candidates = 1000 } = options
  return {
    name: 'gaussian process',
    propose(search) {
      if (completeOf(search).length < startup) return { values: evenValues(search) }
      return { values: new Ascent(search, gainOf(search), candidates).best() }
    },
  }
}

/** What is to be gained at a place, and its derivatives; both by logarithms. */
interface Gain {
  at(point: Point): number
  slopeAt(point: Point): Slope
}

function gainOf(search: Search): Gain {
  const { parameters, random } = search
  const known = completeOf(search)
  const failed = search.trials.filter(({ state }) => state === 'failed')
  const open = openOf(search)
  const domains = parameters.map(({ domain }) => domain)
  const places = (trials: readonly TrialRecord[]): Point[] =>
    trials.map(({ values }) => encodeAll(parameters, values))
  const seen = places(known)
  const all = [...seen, ...places(failed), ...places(open)]
  const losses = standardized(scalarized(known, search, random))
  const modelOf = (values: readonly number[]): GaussianProcess => {
    const lies = [...failed.map(() => Math.max(...values)), ...open.map(() => 0)]
    return new GaussianProcess(domains, all, [...values, ...lies], learn(domains, seen, values))
  }
  const constraints = (known[0]?.constraints ?? []).map((_, i) => {
    const broken = known.map((trial) => trial.constraints[i]!)
    const scale = Math.sqrt(broken.reduce((sum, value) => sum + value ** 2, 0) / broken.length) || 1
    // Not moved, so that 0 stays the border.
    return modelOf(broken.map((value) => value / scale))
  })
  const kept = losses.filter((_, i) => violationOf(known[i]!) === 0)
  // While nothing keeps the constraints there is nothing to improve on but that.
  const objective = kept.length > 0 ? { model: modelOf(losses), best: Math.min(...kept) } : undefined
  return {
    at(point) {
      let sum = 0
      if (objective) {
        const { mean, variance } = objective.model.at(point)
        const deviation = Math.sqrt(variance)
        sum += Math.log(deviation) + logImprovement((objective.best - mean) / deviation).value
      }
      for (const model of constraints) {
        const { mean, variance } = model.at(point)
        sum += logProbability(-mean / Math.sqrt(variance)).value
      }
      return sum
    },
    slopeAt(point) {
      let value = 0
      const gradient = new Float64Array(point.length)
      const addTo = (
        model: GaussianProcess,
        border: number,
        { scaled }: { readonly scaled: boolean },
      ): void => {
        const { mean, variance, meanSlope, varianceSlope } = model.slopeAt(point)
        const deviation = Math.sqrt(variance)
        const z = (border - mean) / deviation
        const gain = scaled ? logImprovement(z) : logProbability(z)
        value += gain.value + (scaled ? Math.log(deviation) : 0)
        for (let i = 0; i < gradient.length; i++) {
          const byDeviation = varianceSlope[i]! / (2 * variance)
          gradient[i]! +=
            gain.slope * (-meanSlope[i]! / deviation - z * byDeviation) + (scaled ? byDeviation : 0)
        }
      }
      if (objective) addTo(objective.model, objective.best, { scaled: true })
      for (const model of constraints) addTo(model, 0, { scaled: false })
      return { value, gradient }
    },
  }
}

/** One loss for each trial; several objectives by their largest weighted share, and a little of all. */
function scalarized(
  trials: readonly TrialRecord[],
  { directions }: Search,
  random: Random,
): readonly number[] {
  const losses = trials.map((trial) => lossesOf(trial, directions))
  if (directions.length === 1) return losses.map(([loss]) => loss!)
  const drawn = directions.map(() => -Math.log(1 - random.uniform()))
  const sum = drawn.reduce((a, b) => a + b, 0)
  const ends = directions.map((_, i) => {
    const own = losses.map((each) => each[i]!)
    return [Math.min(...own), Math.max(...own)] as const
  })
  return losses.map((each) => {
    const shares = each.map((loss, i) => {
      const [low, high] = ends[i]!
      return (drawn[i]! / sum) * (high > low ? (loss - low) / (high - low) : 0)
    })
    return Math.max(...shares) + 0.05 * shares.reduce((a, b) => a + b, 0)
  })
}

/** With mean 0 and variance 1. */
function standardized(values: readonly number[]): readonly number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  const deviation = Math.sqrt(variance) || 1
  return values.map((value) => (value - mean) / deviation)
}

interface Candidate {
  readonly point: Point
  readonly gain: number
}

/** Looks for the place where most is to be gained. */
class Ascent {
  readonly #search: Search
  readonly #gain: Gain
  readonly #count: number

  constructor(search: Search, gain: Gain, count: number) {
    this.#search = search
    this.#gain = gain
    this.#count = count
  }

  best(): Values {
    const { parameters } = this.#search
    const starts = this.#candidates().sort((a, b) => b.gain - a.gain)
    const climbed = starts.slice(0, climbers).map((start) => this.#settled(this.#climbed(start)))
    const [best] = climbed.sort((a, b) => b.gain - a.gain)
    return this.#valuesAt(best!.point, parameters)
  }

  /** Places all over the space, and around the best trials. */
  #candidates(): Candidate[] {
    const { parameters, random, number, seed, directions } = this.#search
    const spread = Array.from({ length: this.#count }, (_, i) =>
      decodeAll(parameters, (axis) => haltonNumber(number * this.#count + i, axis, seed)),
    )
    const best = completeOf(this.#search)
      .toSorted(
        (a, b) =>
          violationOf(a) - violationOf(b) || lossesOf(a, directions)[0]! - lossesOf(b, directions)[0]!,
      )
      .slice(0, 5)
    const near = best.flatMap(({ values }) => {
      const point = encodeAll(parameters, values)
      return Array.from({ length: Math.ceil(this.#count / 20) }, (_, i) =>
        decodeAll(parameters, (axis) => {
          const unit = point[axis]
          const domain = parameters[axis]!.domain
          if (unit === undefined) return random.uniform()
          if (domain.kind === 'categorical') return random.uniform() < 0.1 ? random.uniform() : unit
          return reflected(unit + 0.1 * 0.5 ** (i % 6) * random.normal())
        }),
      )
    })
    return [...spread, ...near].map((values) => this.#candidate(encodeAll(parameters, values)))
  }

  #candidate(point: Point): Candidate {
    return { point, gain: this.#gain.at(point) }
  }

  /** Uphill by the numbers that have many values. */
  #climbed({ point }: Candidate): Candidate {
    const { parameters } = this.#search
    const axes = parameters.flatMap((parameter, axis) =>
      point[axis] !== undefined && isSmooth(parameter) ? [axis] : [],
    )
    if (axes.length === 0) return this.#candidate(point)
    const moved = (to: ArrayLike<number>): Point => {
      const result = [...point]
      axes.forEach((axis, i) => {
        result[axis] = to[i]!
      })
      return result
    }
    const { at } = minimize(
      (to) => {
        const { value, gradient } = this.#gain.slopeAt(moved(to))
        return { value: -value, gradient: Float64Array.from(axes, (axis) => -gradient[axis]!) }
      },
      axes.map((axis) => point[axis]!),
      { low: axes.map(() => 0), high: axes.map(() => 1), iterations: 40, tolerance: 1e-8 },
    )
    return this.#candidate(this.#snapped(moved(at)))
  }

  /** One by one the values of parameters that have few. */
  #settled(start: Candidate): Candidate {
    let best = start
    this.#search.parameters.forEach(({ domain }, axis) => {
      const size = sizeOf(domain)
      if (best.point[axis] === undefined || size >= fewValues) return
      const from = best.point
      for (let value = 0; value < size; value++) {
        const changed = [...from]
        changed[axis] = (value + 0.5) / size
        const candidate = this.#candidate(this.#snapped(changed))
        if (candidate.gain > best.gain) best = candidate
      }
    })
    return best
  }

  /** The place that its values have: discrete numbers in the middle of their stretch, branches with what belongs to them. */
  #snapped(point: Point): Point {
    const { parameters } = this.#search
    return encodeAll(parameters, this.#valuesAt(point, parameters))
  }

  #valuesAt(point: Point, parameters: readonly Parameter[]): Values {
    return decodeAll(parameters, (axis) => point[axis] ?? 0.5)
  }
}

const isSmooth = ({ domain }: Parameter): boolean =>
  domain.kind !== 'categorical' && sizeOf(domain) >= fewValues

/** Back from the walls. */
const reflected = (unit: number): number =>
  unit < 0 ? Math.min(1, -unit) : unit > 1 ? Math.max(0, 2 - unit) : unit
