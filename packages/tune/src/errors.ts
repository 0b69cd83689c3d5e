// Every error class of this package: what went wrong with a study, and what to do about it.
import { ShoalError } from '@shoal/core'

/** A study that is there under this name, with another space or other directions. */
export class StudyMismatchError extends ShoalError {
  override readonly name: string = 'StudyMismatchError'
}
/** A trial that is no longer this process's: it was silent for too long and given to another, or it has ended. */
export class TrialLostError extends ShoalError {
  override readonly name: string = 'TrialLostError'
}
/** A file that is no storage of studies, or one of a later version. */
export class StorageError extends ShoalError {
  override readonly name: string = 'StorageError'
}
