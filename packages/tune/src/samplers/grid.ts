// Every combination once: the parameters are the digits of a number that counts up.
import { checkOptions, optionRules, ValueError } from '@shoal/core'
import type { Domain, Scalar } from '../space/domain.ts'
import { decode, sizeOf, valueAt } from '../space/domain.ts'
import type { Parameter, Values } from '../space/space.ts'
import { isActive } from '../space/space.ts'
import type { Sampler } from './sampler.ts'

/** How a grid is made. */
export interface GridOptions {
  /** How many values to take of a stretch of real numbers, and of whole numbers of which there are more; both ends are among them. Default 5. */
  readonly points?: number
}

const mostCombinations = 100_000

/**
 * Tries every combination once, the last parameter changing fastest, then is done. Parameters of a branch that is not taken do not count.
 * @throws ValueError for options that make no sense, and, when asked, for more than 100,000 combinations
 */
export function gridSampler(options: GridOptions = {}): Sampler {
  checkOptions('gridSampler', options, { points: optionRules.whole(1) })
  const { points = 5 } = options
  const known = new WeakMap<readonly Parameter[], readonly Values[]>()
  return {
    name: 'grid',
    propose({ parameters, trials }) {
      const combinations = known.get(parameters) ?? combinationsOf(parameters, points)
      known.set(parameters, combinations)
      const tried = new Set(trials.map(({ note }) => note['combination']))
      const combination = combinations.findIndex((_, i) => !tried.has(i))
      return combination < 0 ? 'done' : { values: combinations[combination]!, note: { combination } }
    },
  }
}

function combinationsOf(parameters: readonly Parameter[], points: number): readonly Values[] {
  let combinations: Values[] = [{}]
  for (const parameter of parameters) {
    const choices = gridOf(parameter.domain, points)
    combinations = combinations.flatMap((values) =>
      isActive(parameter, values)
        ? choices.map((value) => ({ ...values, [parameter.path]: value }))
        : [values],
    )
    if (combinations.length > mostCombinations)
      throw new ValueError(
        `the grid has more than ${mostCombinations} combinations: give fewer points, steps, or another sampler`,
      )
  }
  return combinations
}

function gridOf(domain: Domain, points: number): readonly Scalar[] {
  const size = sizeOf(domain)
  if (domain.kind === 'categorical' || (domain.step > 0 && size <= points) || size === 1)
    return Array.from({ length: size }, (_, i) => valueAt(domain, i))
  const spread = Array.from({ length: points }, (_, i) =>
    decode(domain, points === 1 ? 0.5 : i / (points - 1)),
  )
  return [...new Set(spread)]
}
