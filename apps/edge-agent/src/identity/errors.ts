// What can go wrong with the folder that a node keeps itself in.
import { ShoalError } from '@shoal/core'

/** A state folder that cannot be used, or a file in it that does not say what it should. Names the file and the remedy. */
export class StateError extends ShoalError {
  override readonly name: string = 'StateError'
}
/** A state folder that another agent is using. */
export class LockedError extends StateError {
  override readonly name: string = 'LockedError'
}
