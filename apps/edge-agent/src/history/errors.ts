// What can be wrong with a journal of this machine.
import { ShoalError } from '@shoal/core'

/** A file that is no journal of the kind that was asked for, or one that a newer version has written. */
export class JournalError extends ShoalError {
  override readonly name: string = 'JournalError'
}
