// The options of optimizers, checked and completed: programs in plain JavaScript have nobody else to tell them of a slip.
import { checkOptions, optionRules, Tensor, ValueError } from '@shoal/core'
import type { OptimizerOptions } from './optimizer.ts'

/** What a kind of optimizer takes besides what all take. */
type Own<O extends OptimizerOptions> = Omit<O, keyof OptimizerOptions>

/**
 * The options of a kind of optimizer, defaults in the place of those left out.
 * @param defaults all that it takes besides `learningRate` and `name`, which are handed on as they are.
 * @throws ValueError naming the options that there are, for one that there is not and for a rate that is none.
 */
export function withDefaults<O extends OptimizerOptions>(
  kind: string,
  options: O,
  defaults: Required<Own<O>>,
): Required<Own<O>> & OptimizerOptions {
  const known = ['learningRate', 'name', ...Object.keys(defaults)]
  checkOptions<object>(kind, options, Object.fromEntries(known.map((name) => [name, optionRules.any])))
  demandRate(kind, options.learningRate, `; ${kind} takes ${known.join(', ')}`)
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as O
  return { ...defaults, ...given }
}

/** @throws ValueError unless it is a finite number, a tensor, a variable or a schedule. */
export function demandRate(name: string, rate: unknown, remedy = ''): void {
  const isRate =
    typeof rate === 'number'
      ? Number.isFinite(rate)
      : typeof rate === 'function' ||
        rate instanceof Tensor ||
        (typeof rate === 'object' && rate !== null && 'read' in rate)
  if (isRate) return
  const shown = typeof rate === 'number' || typeof rate === 'string' ? rate : `of type ${typeof rate}`
  const what = rate === undefined ? 'is missing' : `is ${shown}`
  throw new ValueError(
    `${name}: learningRate ${what}; it must be a finite number, a tensor, a variable or a schedule${remedy}`,
  )
}
