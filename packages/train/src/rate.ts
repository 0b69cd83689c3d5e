// Learning rates: a number, a tensor that changes, or a schedule that makes one of the step.
import type { DType, Readable, Tensor, TensorLike } from '@shoal/core'
import { cast, constant, toTensor } from '@shoal/core'

/** Makes a rate (a float32 scalar) of the number of steps taken so far (an integer scalar: a tensor, a variable or a number). */
export type Schedule = (step: TensorLike) => Tensor
/** What an optimizer takes for its learning rate. A variable or placeholder lets the program change it between steps. */
export type Rate = number | Tensor | Readable | Schedule

/** A rate as a scalar of a dtype, after `step` steps. */
export function rateAt(rate: Rate, step: Tensor, dtype: DType): Tensor {
  if (typeof rate === 'number') return constant(rate, dtype)
  const value = typeof rate === 'function' ? rate(step) : toTensor(rate)
  return value.dtype === dtype ? value : cast(value, { to: dtype })
}
