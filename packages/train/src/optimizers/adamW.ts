// AdamW: Adam on the loss alone, while weights decay beside it.
import { mul, sub } from '@shoal/core'
import { Optimizer } from '../optimizer.ts'
import { withDefaults } from '../optimizerOptions.ts'
import { demandRange } from '../range.ts'
import type { AdamOptions, AdamSlots } from './adam.ts'
import { adamDefaults, adamRule } from './adam.ts'

/** How AdamW averages and decays. */
export interface AdamWOptions extends AdamOptions {
  /** The share of each weight, times the rate, that every step takes away; default 0.01. */
  readonly weightDecay?: number
}

/**
 * As `adam`, from value · (1 - rate · weightDecay). Loshchilov and Hutter, 2017. Of sparse gradients only the rows that were read decay.
 * @throws AttrError for options out of range; ValueError for some that there are not.
 */
export function adamW(options: AdamWOptions): Optimizer<AdamSlots> {
  const { weightDecay, ...settings } = withDefaults('adamW', options, { ...adamDefaults, weightDecay: 0.01 })
  demandRange('adamW: weightDecay', weightDecay, 0)
  const rule = adamRule('adamW', settings, (value, rate) => mul(value, sub(1, mul(rate, weightDecay))))
  return new Optimizer(rule, settings)
}
