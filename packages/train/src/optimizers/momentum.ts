// Momentum: steps add up where gradients agree and cancel where they do not.
import { add, mul, sub } from '@shoal/core'
import type { OptimizerOptions } from '../optimizer.ts'
import { Optimizer } from '../optimizer.ts'
import { withDefaults } from '../optimizerOptions.ts'
import { demandRange } from '../range.ts'

/** How momentum is kept. */
export interface MomentumOptions extends OptimizerOptions {
  /** What remains of the velocity after each step, below 1; default 0.9. */
  readonly momentum?: number
  /** Take the gradient as if the next step had been made already (Nesterov, 1983; in the form of Sutskever et al., 2013)? Default false. */
  readonly nesterov?: boolean
}

/**
 * velocity = momentum · velocity + gradient; value - rate · velocity, or with Nesterov value - rate · (gradient + momentum · velocity).
 * @throws AttrError for a momentum that is not in [0, 1).
 */
export function momentum(options: MomentumOptions): Optimizer<{ velocity: 0 }> {
  const {
    momentum: keep,
    nesterov,
    ...shared
  } = withDefaults('momentum', options, { momentum: 0.9, nesterov: false })
  demandRange('momentum', keep, 0, 1)
  return new Optimizer(
    {
      name: 'momentum',
      slots: { velocity: 0 },
      update({ value, gradient, slots, rate }) {
        const velocity = add(mul(slots.velocity, keep), gradient)
        const step = nesterov ? add(gradient, mul(velocity, keep)) : velocity
        return { value: sub(value, mul(rate, step)), slots: { velocity } }
      },
    },
    shared,
  )
}
