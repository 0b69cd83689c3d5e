// The error that sends whoever asks to another node.
import { ShoalError } from '@shoal/core'
import { RemoteError } from '@shoal/distributed/peers'

/** A node that does not lead a job, or not any more: ask the one that does. */
export class NotLeaderError extends ShoalError {
  override readonly name: string = 'NotLeaderError'
}

/** Does the error say, here or at a peer, that it was not the leader who spoke? */
export const isNotLeader = (error: unknown): boolean =>
  error instanceof NotLeaderError || (error instanceof RemoteError && error.remoteName === 'NotLeaderError')
