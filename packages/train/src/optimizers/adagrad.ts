// Adagrad: elements that often had gradients take smaller steps.
import { add, AttrError, div, mul, sqrt, square, sub } from '@shoal/core'
import type { OptimizerOptions } from '../optimizer.ts'
import { Optimizer } from '../optimizer.ts'
import { withDefaults } from '../optimizerOptions.ts'
import { demandRange } from '../range.ts'

/** How Adagrad starts. */
export interface AdagradOptions extends OptimizerOptions {
  /** Where the sums of squares start; default 0.1. */
  readonly initialAccumulator?: number
  /** Added to the root of the sum; default 0. */
  readonly epsilon?: number
}

/**
 * squares = squares + gradient²; value - rate · gradient / (√squares + epsilon). Duchi et al., 2011.
 * @throws AttrError when both options are 0, for then an element without a gradient would be divided by zero.
 */
export function adagrad(options: AdagradOptions): Optimizer<{ squares: number }> {
  const { initialAccumulator, epsilon, ...shared } = withDefaults('adagrad', options, {
    initialAccumulator: 0.1,
    epsilon: 0,
  })
  demandRange('adagrad: initialAccumulator', initialAccumulator, 0)
  demandRange('adagrad: epsilon', epsilon, 0)
  if (initialAccumulator === 0 && epsilon === 0)
    throw new AttrError('adagrad: initialAccumulator and epsilon are both 0; one of them must be positive')
  return new Optimizer(
    {
      name: 'adagrad',
      slots: { squares: initialAccumulator },
      update({ value, gradient, slots, rate }) {
        const squares = add(slots.squares, square(gradient))
        return {
          value: sub(value, mul(rate, div(gradient, add(sqrt(squares), epsilon)))),
          slots: { squares },
        }
      },
    },
    shared,
  )
}
