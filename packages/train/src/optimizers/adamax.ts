// Adamax: Adam with the greatest recent gradient in place of the root of the mean square.
import { abs, add, div, maximum, mul, sub } from '@shoal/core'
import type { OptimizerOptions } from '../optimizer.ts'
import { Optimizer } from '../optimizer.ts'
import { withDefaults } from '../optimizerOptions.ts'
import { demandRange } from '../range.ts'
import { decayed, settled } from './decayed.ts'

/** How Adamax averages. */
export interface AdamaxOptions extends OptimizerOptions {
  /** What remains of the average of gradients after each step, above 0 and below 1; default 0.9. */
  readonly beta1?: number
  /** What remains of the greatest gradient after each step, below 1; default 0.999. */
  readonly beta2?: number
  /** Added to |gradient|; default 1e-8. */
  readonly epsilon?: number
}

/**
 * means = decayed(gradient); greatest = max(beta2 · greatest, |gradient| + epsilon); value - rate / (1 - beta1^step) · means / greatest.
 * Kingma and Ba, 2014, section 7.1. @throws AttrError for options out of range; ValueError for some that there are not.
 */
export function adamax(options: AdamaxOptions): Optimizer<{ means: 0; greatest: 0 }> {
  const { beta1, beta2, epsilon, ...shared } = withDefaults('adamax', options, {
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
  })
  demandRange('adamax: beta1', beta1, Number.MIN_VALUE, 1)
  demandRange('adamax: beta2', beta2, 0, 1)
  demandRange('adamax: epsilon', epsilon, Number.MIN_VALUE)
  return new Optimizer(
    {
      name: 'adamax',
      slots: { means: 0, greatest: 0 },
      update({ value, gradient, slots, rate, step }) {
        const means = decayed(slots.means, gradient, beta1)
        const greatest = maximum(mul(slots.greatest, beta2), add(abs(gradient), epsilon))
        const move = mul(div(rate, settled(beta1, step)), div(means, greatest))
        return { value: sub(value, move), slots: { means, greatest } }
      },
    },
    shared,
  )
}
