// AdamW: Adam on the loss alone, while weights decay beside it.
import { mul, sub } from '@shoal/core'
import { Optimizer } from '../optimizer.ts'
import { demandRange } from '../range.ts'
import type { AdamOptions, AdamSlots } from './adam.ts'
import { adamRule } from './adam.ts'

/** How AdamW averages and decays. */
export interface AdamWOptions extends AdamOptions {
  /** The share of each weight, times the rate, that every step takes away; default 0.01. */
  readonly weightDecay?: number
}

/**
 * As `adam`, from value · (1 - rate · weightDecay). Loshchilov and Hutter, 2017. Of sparse gradients only the rows that were read decay.
 * @throws AttrError for options out of range.
 */
export function adamW({ weightDecay = 0.01, ...options }: AdamWOptions): Optimizer<AdamSlots> {
  demandRange('adamW: weightDecay', weightDecay, 0)
  const rule = adamRule('adamW', options, (value, rate) => mul(value, sub(1, mul(rate, weightDecay))))
  return new Optimizer(rule, options)
}
