// Averages over time that forget, and what they lack at first.
import type { Tensor } from '@shoal/core'
import { add, expm1, mul, neg } from '@shoal/core'

/** decay · average + (1 - decay) · x. */
export const decayed = (average: Tensor, x: Tensor, decay: number): Tensor =>
  add(mul(average, decay), mul(x, 1 - decay))

/** 1 - decay^step: the share of a decayed average that is not its initial zero. By expm1, for in float32 the difference would lose its digits. */
export const settled = (decay: number, step: Tensor): Tensor => neg(expm1(mul(step, Math.log(decay))))
