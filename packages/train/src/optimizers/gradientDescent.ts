// Gradient descent: straight down.
import { mul, sub } from '@shoal/core'
import type { OptimizerOptions } from '../optimizer.ts'
import { Optimizer } from '../optimizer.ts'
import { withDefaults } from '../optimizerOptions.ts'

/** value - rate · gradient. @throws ValueError for options that there are not. */
export const gradientDescent = (options: OptimizerOptions): Optimizer<{}> =>
  new Optimizer(
    {
      name: 'gradientDescent',
      slots: {},
      update: ({ value, gradient, rate }) => ({ value: sub(value, mul(rate, gradient)), slots: {} }),
    },
    withDefaults('gradientDescent', options, {}),
  )
