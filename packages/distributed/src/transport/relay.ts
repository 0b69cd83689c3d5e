// Two connections joined into one: what is called at one end is called on at the other.
import { dtypes, sizeOf } from '@shoal/core'
import { asError, RemoteError } from '../errors.ts'
import type { Connection, Handler, Into } from './contract.ts'

/** Milliseconds after which a call that nobody answers is forgotten; who called gives up long before. */
const longestMs = 2 ** 31 - 1

/** Memory that threads share: what arrives in it is handed to another thread without a copy. */
const sharedMemory: Into = (dtype, shape) =>
  new Uint8Array(new SharedArrayBuffer(sizeOf(shape) * dtypes[dtype].bytes))

/** An error as the one who throws it would: its own name, not that of the way that it came. */
function asThrown(thrown: unknown): Error {
  const error = asError(thrown)
  if (!(error instanceof RemoteError)) return error
  const own = new Error(error.remoteMessage, { cause: error })
  own.name = error.remoteName
  return own
}

/** Joins two connections: calls go through in both directions, and the end of one ends the other. */
export function relay(a: Connection, b: Connection): void {
  forward(a, b)
  forward(b, a)
}

function forward(from: Connection, to: Connection): void {
  const through =
    (method: string): Handler =>
    async (message, { signal, urgent }) => {
      try {
        return await to.call(method, message, { deadlineMs: longestMs, signal, urgent, into: sharedMemory })
      } catch (error) {
        throw asThrown(error)
      }
    }
  from.serve(through)
  void from.closed.then((reason) => to.close(reason && asThrown(reason)))
}
