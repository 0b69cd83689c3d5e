// Population-based training: several trainings at once, cut into pieces. After each piece the worst go on from a copy of the best, with parameters a little
// different. Jaderberg et al., Population Based Training of Neural Networks, 2017.
import { checkOptions, optionRules, ValueError } from '@shoal/core'
import type { Random } from '../random.ts'
import { ranked } from '../ranking.ts'
import { sizeOf } from '../space/domain.ts'
import type { Parameter, Values } from '../space/space.ts'
import { decodeAll, encodeAll } from '../space/space.ts'
import type { TrialRecord } from '../trial.ts'
import { evenValues } from './quasiRandom.ts'
import type { Sampler } from './sampler.ts'
import { completeOf, openOf } from './sampler.ts'

/** How a population is trained. */
export interface PopulationOptions {
  /** How many trainings there are. Default 8. */
  readonly population?: number
  /** Into how many pieces each is cut. */
  readonly generations: number
  /** Of the worst, which part goes on from the best, and of how many best: at most a half. Default 0.25. */
  readonly replaced?: number
  /** How far a number moves after a copy, of its whole range. Default 0.1. */
  readonly step?: number
  /** How often a parameter is drawn anew after a copy. Default 0.1. */
  readonly resampled?: number
}

/**
 * Trains a population. A trial is one piece of one training: it goes on from the state of trial `trial.parent` (where that is undefined, from the beginning), saves
 * its own under `trial.number`, and tells how good it is by now. Nobody waits for the slowest: a training is compared with the latest of all others.
 * @throws ValueError for options that make no sense
 */
export function populationSampler(options: PopulationOptions): Sampler {
  const share = (most: number) => ({
    wanted: `a number from 0 to ${most}`,
    accepts: (value: unknown) => typeof value === 'number' && value >= 0 && value <= most,
  })
  checkOptions('populationSampler', options, {
    population: optionRules.whole(2),
    generations: optionRules.whole(1),
    replaced: share(0.5),
    step: share(1),
    resampled: share(1),
  })
  const { population = 8, generations, replaced = 0.25, step = 0.1, resampled = 0.1 } = options
  if (generations === undefined) throw new ValueError('populationSampler: say how many generations')
  return {
    name: 'population',
    propose(search) {
      const members = Array.from({ length: population }, (_, member) => {
        const own = ({ note }: TrialRecord): boolean => note['member'] === member
        const pieces = completeOf(search).filter(own)
        return { member, busy: openOf(search).some(own), done: pieces.length, latest: pieces.at(-1) }
      })
      const left = members.filter(({ done }) => done < generations)
      const [next] = left.filter(({ busy }) => !busy).sort((a, b) => a.done - b.done || a.member - b.member)
      if (!next) return left.length > 0 ? 'wait' : 'done'
      const { member, latest } = next
      if (!latest) return { values: evenValues(search), note: { member } }
      const inOrder = ranked(
        members.flatMap(({ latest: each }) => each ?? []),
        search.directions,
      )
      const few = Math.floor(inOrder.length * replaced)
      if (few === 0 || inOrder.indexOf(latest) < inOrder.length - few)
        return { values: latest.values, note: { member, parent: latest.number } }
      const source = search.random.pick(inOrder.slice(0, few))
      const values = explored(search.parameters, source.values, search.random, step, resampled)
      return { values, note: { member, parent: source.number } }
    },
  }
}

/** Values nearby: each number a step up or down, discrete ones at least by one value. */
function explored(
  parameters: readonly Parameter[],
  values: Values,
  random: Random,
  step: number,
  resampled: number,
): Values {
  const point = encodeAll(parameters, values)
  return decodeAll(parameters, (axis) => {
    const [unit, { domain }] = [point[axis], parameters[axis]!]
    if (unit === undefined || random.uniform() < resampled) return random.uniform()
    if (domain.kind === 'categorical') return unit
    const size = sizeOf(domain)
    const far = Math.max(step, size === Infinity ? 0 : 1 / size)
    return Math.min(1, Math.max(0, unit + (random.uniform() < 0.5 ? far : -far)))
  })
}
