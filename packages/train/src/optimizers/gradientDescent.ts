// Gradient descent: straight down.
import { mul, sub } from '@shoal/core'
import type { OptimizerOptions } from '../optimizer.ts'
import { Optimizer } from '../optimizer.ts'

/** value - rate · gradient. */
export const gradientDescent = (options: OptimizerOptions): Optimizer<{}> =>
  new Optimizer(
    {
      name: 'gradientDescent',
      slots: {},
      update: ({ value, gradient, rate }) => ({ value: sub(value, mul(rate, gradient)), slots: {} }),
    },
    options,
  )
