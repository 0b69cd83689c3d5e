// What a loop carries from step to step: types that stay the same, of values that devices can hold.
import { DTypeError } from '../../errors.ts'
import type { TensorType } from '../../shape.ts'
import { formatType, mergeShapes } from '../../shape.ts'

/** Loops move their values in device memory, which holds no strings. */
export function demandNoString({ dtype }: TensorType, what: string): void {
  if (dtype === 'string')
    throw new DTypeError(
      `${what} is string, and a loop cannot hand strings from step to step: carry indices into a list of them`,
    )
}

/** The type of a state that a body takes and makes. @throws DTypeError, ShapeError when it changes on the way. */
export function carried(before: TensorType, made: TensorType, i: number): TensorType {
  demandNoString(before, `state ${i}`)
  if (before.dtype !== made.dtype)
    throw new DTypeError(`state ${i} is ${before.dtype}, the body makes ${made.dtype} of it: cast it`)
  return {
    dtype: before.dtype,
    shape: mergeShapes(
      before.shape,
      made.shape,
      `state ${i} must keep its shape: ${formatType(before)} became ${formatType(made)}`,
    ),
  }
}
