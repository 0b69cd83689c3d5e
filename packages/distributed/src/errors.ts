// What can go wrong between two processes. Each error names the peer, the method and what was awaited.
import { ShoalError } from '@shoal/core'

/** A call that was not answered in time. */
export class DeadlineError extends ShoalError {
  override readonly name: string = 'DeadlineError'
}
/** A call whose caller withdrew it; `cause` is the reason of its signal. */
export class CancelledError extends ShoalError {
  override readonly name: string = 'CancelledError'
}
/** A connection that broke, or whose peer is dead: calls that were under way may have been served or not. */
export class ConnectionLostError extends ShoalError {
  override readonly name: string = 'ConnectionLostError'
}
/** A peer that cannot be reached, or does not answer as a peer would. */
export class ConnectError extends ShoalError {
  override readonly name: string = 'ConnectError'
}
/** Bytes from a peer that are not what the protocol says, or larger than it allows. */
export class ProtocolError extends ShoalError {
  override readonly name: string = 'ProtocolError'
}
/** A message that is larger than this side, or the protocol, allows. */
export class LimitError extends ShoalError {
  override readonly name: string = 'LimitError'
}
/** A peer, an address or a certificate that is not trusted. */
export class SecurityError extends ShoalError {
  override readonly name: string = 'SecurityError'
}
/** A certificate that is not valid yet, or not any more: one that follows it may be. */
export class ValidityError extends SecurityError {
  override readonly name: string = 'ValidityError'
}

/** A task of the cluster that cannot be reached, or was lost or started anew in the middle of something: a new session may succeed. */
export class UnavailableError extends ShoalError {
  override readonly name: string = 'UnavailableError'
}

/** An error that a peer's handler threw: its name and its message. The peer keeps the stack. */
export class RemoteError extends ShoalError {
  override readonly name: string = 'RemoteError'
  /** The name of the error at the peer: 'ShapeError'. */
  readonly remoteName: string
  /** The message of the error at the peer. */
  readonly remoteMessage: string
  constructor(where: string, remoteName: string, remoteMessage: string) {
    super(`${where}: ${remoteName}: ${remoteMessage}`)
    this.remoteName = remoteName
    this.remoteMessage = remoteMessage
  }
}

/** Whatever was thrown or rejected with, as an Error. */
export const asError = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error(String(thrown))

/** The error as an UnavailableError, if it says that a peer cannot be reached, is gone or is silent; other errors as they are. */
export function unavailable(error: unknown, what: string): unknown {
  const lost =
    error instanceof ConnectionLostError || error instanceof ConnectError || error instanceof DeadlineError
  return lost ? new UnavailableError(`${what}: ${error.message}`, { cause: error }) : error
}
