// Evolution for several objectives: the best half of parents and children have the next children. Deb et al., A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II, 2002.
import { checkOptions, optionRules } from '@shoal/core'
import type { Random } from '../random.ts'
import { ranked } from '../ranking.ts'
import type { Domain } from '../space/domain.ts'
import { sizeOf } from '../space/domain.ts'
import type { Values } from '../space/space.ts'
import { decodeAll, encodeAll } from '../space/space.ts'
import type { TrialRecord } from '../trial.ts'
import { evenValues } from './quasiRandom.ts'
import type { Sampler, Search } from './sampler.ts'
import { completeOf } from './sampler.ts'

/** How evolution goes. */
export interface Nsga2Options {
  /** How many trials make a generation. Default 50. */
  readonly population?: number
  /** How often a child has two parents. Default 0.9. */
  readonly crossover?: number
  /** How often a parameter changes by chance. Default 1 / number of parameters. */
  readonly mutation?: number
}

/** How close children stay to their parents: Deb's distribution indices. */
const closeness = 20

/**
 * Evolution towards the whole front of several objectives; constraints come before objectives. Trials of a generation may run at the same time.
 * @throws ValueError for options that make no sense
 */
export function nsga2Sampler(options: Nsga2Options = {}): Sampler {
  const share = {
    wanted: 'a number from 0 to 1',
    accepts: (p: unknown) => typeof p === 'number' && p >= 0 && p <= 1,
  }
  checkOptions('nsga2Sampler', options, {
    population: optionRules.whole(2),
    crossover: share,
    mutation: share,
  })
  const { population = 50, crossover = 0.9, mutation } = options
  return {
    name: 'nsga-ii',
    propose(search) {
      const { generation, parents } = descent(search, population)
      const note = { generation }
      if (parents.length === 0) return { values: evenValues(search), note }
      const rate = mutation ?? 1 / search.parameters.length
      return { values: childOf(parents, search, crossover, rate), note }
    },
  }
}

/** The generation that trials are wanted for, and its parents, the best first. Trials that were enqueued or added count for the first. */
function descent(
  search: Search,
  population: number,
): { readonly generation: number; readonly parents: readonly TrialRecord[] } {
  const members = Map.groupBy(completeOf(search), ({ note }) => note['generation'] ?? 0)
  let parents: readonly TrialRecord[] = []
  for (let generation = 0; ; generation++) {
    const own = members.get(generation) ?? []
    if (own.length < population) return { generation, parents }
    parents = ranked([...parents, ...own], search.directions).slice(0, population)
  }
}

function childOf(
  parents: readonly TrialRecord[],
  search: Search,
  crossover: number,
  mutation: number,
): Values {
  const { parameters, random } = search
  // Of two by chance the better one: parents are in order.
  const chosen = (): TrialRecord =>
    parents[Math.min(random.below(parents.length), random.below(parents.length))]!
  const mother = encodeAll(parameters, chosen().values)
  const father = encodeAll(parameters, chosen().values)
  const both = random.uniform() < crossover
  return decodeAll(parameters, (axis) => {
    const { domain } = parameters[axis]!
    const [a, b] = [mother[axis], both ? father[axis] : mother[axis]]
    const own = a === undefined ? b : b === undefined ? a : crossed(domain, a, b, random)
    if (own === undefined) return random.uniform()
    return random.uniform() < mutation ? mutated(domain, own, random) : own
  })
}

/** Simulated binary crossover: Deb and Agrawal 1995. Half of the parameters come from the mother as they are. */
function crossed(domain: Domain, a: number, b: number, random: Random): number {
  if (domain.kind === 'categorical') return random.uniform() < 0.5 ? a : b
  if (random.uniform() < 0.5) return a
  const u = random.uniform()
  const spread = (u < 0.5 ? 2 * u : 1 / (2 * (1 - u))) ** (1 / (closeness + 1))
  const side = random.uniform() < 0.5 ? 1 : -1
  return Math.min(1, Math.max(0, 0.5 * (a + b + side * spread * (a - b))))
}

/** Polynomial mutation: Deb and Goyal 1996; of a discrete number at least to its neighbour. */
function mutated(domain: Domain, unit: number, random: Random): number {
  if (domain.kind === 'categorical') return random.uniform()
  const u = random.uniform()
  const step = u < 0.5 ? (2 * u) ** (1 / (closeness + 1)) - 1 : 1 - (2 * (1 - u)) ** (1 / (closeness + 1))
  const least = sizeOf(domain) === Infinity ? 0 : 1 / sizeOf(domain)
  return Math.min(1, Math.max(0, unit + Math.sign(step) * Math.max(least, Math.abs(step))))
}
