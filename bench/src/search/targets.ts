// What searches are to find: no worse than the medians that Optuna 4 finds after as many trials, and what is in reach of models.
import { quartiles } from '../statistics.ts'
import type { Finding } from './studies.ts'

/** The best value that half of the studies are to reach. */
export interface SearchTarget {
  readonly contestant: string
  readonly of: string
  readonly count: number
  readonly atMost: number
}

const target = (contestant: string, of: string, count: number, atMost: number): SearchTarget => ({
  contestant,
  of,
  count,
  atMost,
})

/** Least values, for what is told as a distance from them. */
const least = { branin: 0.397887, hartmann6: -3.322368, rosenbrock: 0 }

/** All of them. */
export const searchTargets: readonly SearchTarget[] = [
  target('TPE', 'Branin', 100, 0.417),
  target('TPE', 'Hartmann6', 100, -3.043),
  target('TPE', 'Ackley-5', 100, 7.93),
  target('TPE', 'Rosenbrock-2', 100, 0.297),
  target('TPE', 'six-hump camel', 100, -1.0175),
  target('Gaussian process', 'Branin', 50, least.branin + 0.005),
  target('Gaussian process', 'Hartmann6', 50, least.hartmann6 + 0.05),
  target('CMA-ES', 'Branin', 200, least.branin + 0.01),
  target('CMA-ES', 'Rosenbrock-2', 200, least.rosenbrock + 0.1),
]

/** The least number of empty trials per second, with a study on disk. */
export const leastTrialsPerSecond = 20

/** The finding that a target speaks of. */
export const findingOf = (target: SearchTarget, found: readonly Finding[]): Finding | undefined =>
  found.find(
    ({ contestant, of, count }) =>
      contestant === target.contestant && of.name === target.of && count === target.count,
  )

/** The middle of the best values. */
export const medianOf = ({ bests }: Finding): number => quartiles(bests).median
