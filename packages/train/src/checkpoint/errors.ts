// The one error class of checkpoints.
import { ShoalError } from '@shoal/core'

/** A checkpoint that is damaged, missing, or does not fit the variables. */
export class CheckpointError extends ShoalError {
  override readonly name: string = 'CheckpointError'
}
