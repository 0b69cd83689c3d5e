// Every error class of core. Each names what it speaks of (op, node, shapes) and what to do about it.

/** The part of a node that an error message needs. */
export interface NodeLabel {
  readonly op: { readonly name: string }
  readonly name: string
}

/** The base of every error that Shoal throws on purpose. */
export abstract class ShoalError extends Error {
  /** The class's name, stable, to be matched on: written out in each class, since bundlers shorten the names of classes themselves. */
  abstract override readonly name: string
  /** The node that the error speaks of, where there is one. */
  declare readonly node: NodeLabel | undefined
  constructor(
    message: string,
    options: { readonly node?: NodeLabel | undefined; readonly cause?: unknown } = {},
  ) {
    super(
      options.node ? `${label(options.node)}: ${message}` : message,
      options.cause === undefined ? {} : { cause: options.cause },
    )
    // Not enumerable: whoever prints the error wants the message, not the graph behind the node.
    Object.defineProperty(this, 'node', { value: options.node, enumerable: false })
  }
}

/** `MatMul 'dense/matmul'`: how messages name a node. */
export const label = (node: NodeLabel): string => `${node.op.name} '${node.name}'`

/** The same error with the node that it speaks of, where it names none yet and is one of Shoal's. */
export function speakingOf(node: NodeLabel, error: unknown): unknown {
  if (!(error instanceof ShoalError) || error.node) return error
  const Same = error.constructor as new (
    message: string,
    options: { readonly node: NodeLabel; readonly cause: unknown },
  ) => ShoalError
  return new Same(error.message, { node, cause: error })
}

/** Shapes that do not fit an op, a feed or a variable. */
export class ShapeError extends ShoalError {
  override readonly name: string = 'ShapeError'
}
/** An element type that an op does not take, or two that should be one. */
export class DTypeError extends ShoalError {
  override readonly name: string = 'DTypeError'
}
/** An attribute that is missing, unknown or out of range. */
export class AttrError extends ShoalError {
  override readonly name: string = 'AttrError'
}
/** A value from outside (nested array, literal, file) that cannot become what was asked for. */
export class ValueError extends ShoalError {
  override readonly name: string = 'ValueError'
}
/** A placeholder that the fetches need and the feeds do not give. */
export class MissingFeedError extends ShoalError {
  override readonly name: string = 'MissingFeedError'
}
/** A name that nothing in the graph has. */
export class NotFoundError extends ShoalError {
  override readonly name: string = 'NotFoundError'
}
/** Two different things under one name. */
export class NameError extends ShoalError {
  override readonly name: string = 'NameError'
}
/** A graph that breaks an invariant: a cycle, a foreign tensor, a wrong type. */
export class GraphError extends ShoalError {
  override readonly name: string = 'GraphError'
}
/** A serialised graph that is malformed, too large or of an unknown version. */
export class GraphDefError extends ShoalError {
  override readonly name: string = 'GraphDefError'
}
/** A gradient that does not exist. */
export class GradientError extends ShoalError {
  override readonly name: string = 'GradientError'
}
/** No device of the session can run a node where it is wanted. */
export class PlacementError extends ShoalError {
  override readonly name: string = 'PlacementError'
}
/** A variable that is read before anything was assigned to it. */
export class UninitializedError extends ShoalError {
  override readonly name: string = 'UninitializedError'
}
/** A session, queue or device that was closed. */
export class ClosedError extends ShoalError {
  override readonly name: string = 'ClosedError'
}
/** A value that failed a check while the graph ran: an index out of range, a non-finite loss, an assertion. */
export class RunError extends ShoalError {
  override readonly name: string = 'RunError'
}
/** A NaN or infinity where a finite value was demanded. */
export class NonFiniteError extends RunError {
  override readonly name: string = 'NonFiniteError'
}
/** Memory that a device could not give. */
export class OutOfMemoryError extends ShoalError {
  override readonly name: string = 'OutOfMemoryError'
}
/** A device that is gone, with all that its memory held: a GPU that was unplugged, reset or taken away. */
export class DeviceLostError extends ShoalError {
  override readonly name: string = 'DeviceLostError'
}
/** A bug in Shoal or in a device package: an internal promise was broken. */
export class InternalError extends ShoalError {
  override readonly name: string = 'InternalError'
}
