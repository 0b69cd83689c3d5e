// Adam: momentum over the size that gradients lately had, both averages corrected for their start at zero.
import type { Tensor } from '@shoal/core'
import { add, div, mul, sqrt, square, sub } from '@shoal/core'
import type { OptimizerOptions, Rule } from '../optimizer.ts'
import { Optimizer } from '../optimizer.ts'
import { withDefaults } from '../optimizerOptions.ts'
import { demandRange } from '../range.ts'
import { decayed, settled } from './decayed.ts'

/** How Adam averages. */
export interface AdamOptions extends OptimizerOptions {
  /** What remains of the average of gradients after each step, above 0 and below 1; default 0.9. */
  readonly beta1?: number
  /** What remains of the average of squares after each step, above 0 and below 1; default 0.999. */
  readonly beta2?: number
  /** Default 1e-8. */
  readonly epsilon?: number
  /**
   * Where epsilon is added: `torch` to the root of the corrected average (Algorithm 1 of the paper), `tensorflow` to that of the
   * uncorrected one ("epsilon hat"). Default `torch`.
   */
  readonly form?: 'tensorflow' | 'torch'
}
/** The slots of Adam: averages of gradients and of their squares. */
export type AdamSlots = { readonly means: 0; readonly squares: 0 }

/** means = decayed(gradient), squares = decayed(gradient²); value - rate · means / √squares. Kingma and Ba, 2014. @throws AttrError for options out of range; ValueError for some that there are not. */
export function adam(options: AdamOptions): Optimizer<AdamSlots> {
  const settings = withDefaults('adam', options, adamDefaults)
  return new Optimizer(adamRule('adam', settings), settings)
}

/** How Adam averages when nothing else is said. */
export const adamDefaults = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, form: 'torch' } as const

/** The rule of Adam, which AdamW shares. `shrink` changes the value before the step. */
export function adamRule(
  name: string,
  { beta1, beta2, epsilon, form }: Required<Omit<AdamOptions, keyof OptimizerOptions>>,
  shrink: (value: Tensor, rate: Tensor) => Tensor = (value) => value,
): Rule<AdamSlots> {
  demandRange(`${name}: beta1`, beta1, Number.MIN_VALUE, 1)
  demandRange(`${name}: beta2`, beta2, Number.MIN_VALUE, 1)
  demandRange(`${name}: epsilon`, epsilon, Number.MIN_VALUE)
  return {
    name,
    slots: { means: 0, squares: 0 },
    update({ value, gradient, slots, rate, step }) {
      const means = decayed(slots.means, gradient, beta1)
      const squares = decayed(slots.squares, square(gradient), beta2)
      const [share1, share2] = [settled(beta1, step), settled(beta2, step)]
      const move =
        form === 'torch'
          ? mul(div(rate, share1), div(means, add(sqrt(div(squares, share2)), epsilon)))
          : mul(mul(rate, div(sqrt(share2), share1)), div(means, add(sqrt(squares), epsilon)))
      return { value: sub(shrink(value, rate), move), slots: { means, squares } }
    },
  }
}
