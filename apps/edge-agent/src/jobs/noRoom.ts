// The error that says that a task fits nowhere on a node at this moment.
import { ShoalError } from '@shoal/core'
import { RemoteError } from '@shoal/distributed/peers'

/** A task that this node has no room for now. */
export class NoRoomError extends ShoalError {
  override readonly name: string = 'NoRoomError'
}

/** Does the error say, here or at a peer, that there was no room? */
export const isNoRoom = (error: unknown): boolean =>
  error instanceof NoRoomError || (error instanceof RemoteError && error.remoteName === 'NoRoomError')
