// RMSProp: steps divided by the size that gradients lately had.
import type { Tensor } from '@shoal/core'
import { add, div, mul, sqrt, square, sub } from '@shoal/core'
import type { OptimizerOptions } from '../optimizer.ts'
import { Optimizer } from '../optimizer.ts'
import { withDefaults } from '../optimizerOptions.ts'
import { demandRange } from '../range.ts'
import { decayed } from './decayed.ts'

/** How RMSProp averages. */
export interface RmsPropOptions extends OptimizerOptions {
  /** What remains of the averages after each step, below 1; default 0.9. */
  readonly decay?: number
  /** What remains of the velocity after each step, below 1; default 0: none is kept. */
  readonly momentum?: number
  /** Default 1e-10. */
  readonly epsilon?: number
  /** Divide by the deviation, √(E[g²] - E[g]²), instead of √E[g²]? Default false. */
  readonly centered?: boolean
  /**
   * `tensorflow`: averages of squares start at 1, epsilon is under the root, and the rate is in the velocity.
   * `torch`: they start at 0, epsilon is added to the root, and the rate scales the velocity. Default `tensorflow`.
   */
  readonly form?: 'tensorflow' | 'torch'
}

/** The slots of RMSProp. */
export interface RmsPropSlots {
  readonly squares: number
  readonly means: number | undefined
  readonly velocity: number | undefined
  readonly [slot: string]: number | undefined
}

/**
 * squares = decayed(gradient²); value - rate · gradient / √squares, with momentum if wanted. Hinton, 2012.
 * @throws AttrError for options out of range; ValueError for some that there are not.
 */
export function rmsProp(options: RmsPropOptions): Optimizer<RmsPropSlots> {
  const { decay, momentum, epsilon, centered, form, ...shared } = withDefaults('rmsProp', options, {
    decay: 0.9,
    momentum: 0,
    epsilon: 1e-10,
    centered: false,
    form: 'tensorflow',
  })
  demandRange('rmsProp: decay', decay, 0, 1)
  demandRange('rmsProp: momentum', momentum, 0, 1)
  demandRange('rmsProp: epsilon', epsilon, Number.MIN_VALUE)
  const torch = form === 'torch'
  const size = (variance: Tensor): Tensor =>
    torch ? add(sqrt(variance), epsilon) : sqrt(add(variance, epsilon))
  const slots: RmsPropSlots = {
    squares: torch ? 0 : 1,
    means: centered ? 0 : undefined,
    velocity: momentum > 0 ? 0 : undefined,
  }
  return new Optimizer<RmsPropSlots>(
    {
      name: 'rmsProp',
      slots,
      update({ value, gradient, slots: before, rate }) {
        const squares = decayed(before.squares, square(gradient), decay)
        const means = before.means && decayed(before.means, gradient, decay)
        const step = div(gradient, size(means ? sub(squares, square(means)) : squares))
        // The places of the rate differ only while it changes.
        const scaled = torch ? step : mul(rate, step)
        const velocity = before.velocity && add(mul(before.velocity, momentum), scaled)
        const move = velocity ?? scaled
        return { value: sub(value, torch ? mul(rate, move) : move), slots: { squares, means, velocity } }
      },
    },
    shared,
  )
}
