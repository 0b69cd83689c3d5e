// Descent by gradients that trials tell: each trial of a chain is a step of Adam from the one before, over the whole range of each parameter as 0 to 1.
import { checkOptions, optionRules, ValueError } from '@shoal/core'
import type { Domain } from '../space/domain.ts'
import { sizeOf } from '../space/domain.ts'
import type { Parameter } from '../space/space.ts'
import { decodeAll, encodeAll } from '../space/space.ts'
import type { TrialRecord } from '../trial.ts'
import { signOf } from '../trial.ts'
import { evenValues } from './quasiRandom.ts'
import type { Proposal, Sampler, Search } from './sampler.ts'
import { demandOneObjective } from './sampler.ts'

/** How chains descend. */
export interface GradientOptions {
  /** How many chains begin, each somewhere else; when all have ended, others begin. Default 4. */
  readonly chains?: number
  /** How many trials a chain has. Default 20. */
  readonly steps?: number
  /** How far the first step goes, of a parameter's whole range; later ones fall with the root of their number. Default 0.1. */
  readonly rate?: number
}

/** Adam's decays: Kingma and Ba, 2015. The second is short, as chains are. */
const decay = { mean: 0.9, square: 0.95 }

/**
 * Gradient descent from several places. Objectives answer `{ value, gradients }`: `unroll` makes them, for hyper-parameters that are tensors. Parameters
 * without a gradient stay as their chain began. A step that fails is tried again, half as long.
 * @throws ValueError for options that make no sense; when asked: for several objectives, and when a trial told no gradient at all
 */
export function gradientSampler(options: GradientOptions = {}): Sampler {
  checkOptions('gradientSampler', options, {
    chains: optionRules.whole(1),
    steps: optionRules.whole(1),
    rate: { wanted: 'a number above 0', accepts: (value) => typeof value === 'number' && value > 0 },
  })
  const { chains: wanted = 4, steps = 20, rate = 0.1 } = options
  return {
    name: 'gradient',
    propose(search) {
      demandOneObjective('gradientSampler', search)
      const chains = Map.groupBy(
        search.trials.filter(({ note }) => note['chain'] !== undefined),
        ({ note }) => note['chain']!,
      )
      const busy = (trials: readonly TrialRecord[]): boolean =>
        trials.some(({ state }) => state === 'running' || state === 'waiting')
      const open = [...chains].filter(([, trials]) => trials.length < steps)
      const [next] = open.filter(([, trials]) => !busy(trials)).sort(([, a], [, b]) => a.length - b.length)
      // New chains until there are enough; and rather than wait, one more.
      const isNew = !next || (chains.size < wanted && next[1].length > 0)
      if (isNew) return { values: evenValues(search), note: { chain: chains.size } }
      return descended(next[1], search, rate, next[0])
    },
  }
}

function descended(chain: readonly TrialRecord[], search: Search, rate: number, number: number): Proposal {
  const { parameters } = search
  const told = chain.filter(({ state }) => state === 'complete')
  const last = told.at(-1)
  // A chain whose first trial failed begins again elsewhere.
  if (!last) return { values: evenValues(search), note: { chain: number } }
  if (Object.keys(last.gradients).length === 0)
    throw new ValueError(
      `gradientSampler: trial ${last.number} told no gradients: answer { value, gradients }`,
    )
  const failures = chain.filter((trial) => trial.state !== 'complete' && trial.number > last.number).length
  const length = (rate / Math.sqrt(told.length)) * 0.5 ** failures
  const from = encodeAll(parameters, last.values)
  return {
    values: decodeAll(parameters, (axis) => {
      const unit = from[axis] ?? 0.5
      const step = adamStep(told.map((trial) => slopeOf(trial, parameters[axis]!, search)))
      return Math.min(1, Math.max(0, unit - length * step))
    }),
    note: { chain: number },
  }
}

/** The last of Adam's steps along these slopes, for a rate of 1. */
function adamStep(slopes: readonly number[]): number {
  let [mean, square] = [0, 0]
  for (const slope of slopes) {
    mean = decay.mean * mean + (1 - decay.mean) * slope
    square = decay.square * square + (1 - decay.square) * slope ** 2
  }
  const count = slopes.length
  const deviation = Math.sqrt(square / (1 - decay.square ** count))
  return deviation === 0 ? 0 : mean / (1 - decay.mean ** count) / deviation
}

/** The derivative of the loss by a parameter as a number from 0 to 1; 0 where none was told. */
function slopeOf(
  { values, gradients }: TrialRecord,
  { path, domain }: Parameter,
  { directions }: Search,
): number {
  const gradient = gradients[path]
  if (gradient === undefined) return 0
  return gradient * signOf(directions[0]!) * stretchAt(domain, Number(values[path]))
}

/** How quickly the value changes with the number from 0 to 1. */
function stretchAt(domain: Domain, value: number): number {
  if (domain.kind === 'categorical' || sizeOf(domain) === 1) return 0
  return domain.log ? value * Math.log(domain.high / domain.low) : domain.high - domain.low
}
