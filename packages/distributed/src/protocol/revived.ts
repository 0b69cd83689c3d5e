// Errors that come from a peer, as errors of the classes that they were there.
import {
  AttrError,
  ClosedError,
  DeviceLostError,
  DTypeError,
  GradientError,
  GraphDefError,
  GraphError,
  InternalError,
  MissingFeedError,
  NameError,
  NonFiniteError,
  NotFoundError,
  OutOfMemoryError,
  PlacementError,
  RunError,
  ShapeError,
  type ShoalError,
  UninitializedError,
  ValueError,
} from '@shoal/core'
import * as own from '../errors.ts'

type ErrorClass = new (message: string, options: { readonly cause: unknown }) => ShoalError

/** Every class of error that may come from a peer. */
export const errorClasses: readonly ErrorClass[] = [
  AttrError,
  ClosedError,
  DeviceLostError,
  DTypeError,
  GradientError,
  GraphDefError,
  GraphError,
  InternalError,
  MissingFeedError,
  NameError,
  NonFiniteError,
  NotFoundError,
  OutOfMemoryError,
  PlacementError,
  RunError,
  ShapeError,
  UninitializedError,
  ValueError,
  own.CancelledError,
  own.ConnectError,
  own.ConnectionLostError,
  own.DeadlineError,
  own.LimitError,
  own.ProtocolError,
  own.SecurityError,
  own.UnavailableError,
  own.ValidityError,
]

const byName: ReadonlyMap<string, ErrorClass> = new Map(errorClasses.map((each) => [each.name, each]))

/** The error that a peer threw, of the same class where it is one of Shoal's; other errors as they are. */
export function revived(error: unknown): unknown {
  if (!(error instanceof own.RemoteError)) return error
  const Same = byName.get(error.remoteName)
  return Same ? new Same(error.remoteMessage, { cause: error }) : error
}
