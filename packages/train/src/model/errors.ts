// The one error class of saved models and of ensembles made of them.
import { ShoalError } from '@shoal/core'

/** A model that cannot be saved as it is, a file that is no sound model, or models that do not go together. */
export class ModelError extends ShoalError {
  override readonly name: string = 'ModelError'
}
