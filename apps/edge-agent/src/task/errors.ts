// What can go wrong with a task before its program runs: the program cannot be bundled, or the process cannot be had.
import { ShoalError } from '@shoal/core'

/** A program that does not become one file; names file and line, and says what to do. */
export class BundleError extends ShoalError {
  override readonly name: string = 'BundleError'
}

/** A process that cannot be started on this machine. */
export class LaunchError extends ShoalError {
  override readonly name: string = 'LaunchError'
}

/** A stream between two tasks that cannot be had: its task does not run there, or the node does not answer. */
export class StreamError extends ShoalError {
  override readonly name: string = 'StreamError'
}
