// From an open stream to a connection: the peer's first frame shows that it is one, and that it lets us in.
import type { Clock } from '../clock.ts'
import { asError, CancelledError, ConnectError, DeadlineError } from '../errors.ts'
import type { ByteStream } from '../frame/byteStream.ts'
import type { FrameOptions } from '../frame/limits.ts'
import { FrameLink } from '../frame/link.ts'
import { PeerConnection } from './connection.ts'
import type { Connection, ConnectOptions, PeerIdentity } from './contract.ts'

/** What every transport over bytes may be told. */
export interface StreamOptions {
  readonly frames?: FrameOptions
  /** Default: the system's. */
  readonly clock?: Clock
}

/**
 * Begins to speak over a stream. Must be called in the turn in which the stream is ready, before its first bytes.
 * @throws ConnectError when the peer ends the stream, or does not speak the protocol.
 */
export function open(
  stream: ByteStream,
  peer: PeerIdentity,
  { clock, frames }: StreamOptions,
): Promise<Connection> {
  const link = new FrameLink(stream, frames, clock)
  const connection = new PeerConnection(link, peer, clock)
  return link.opened.then(
    () => connection,
    (thrown) => {
      throw new ConnectError(`'${peer.node}' does not answer as a peer would: ${asError(thrown).message}`, {
        cause: thrown,
      })
    },
  )
}

/**
 * Gives an attempt a deadline and a way to be withdrawn; `begin` is told of both by its signal.
 * @throws DeadlineError, CancelledError, and what `begin` throws.
 */
export async function attempt<T>(
  what: string,
  { deadlineMs, signal }: ConnectOptions,
  clock: Clock,
  begin: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const control = new AbortController()
  const gaveUp = Promise.withResolvers<never>()
  const giveUp = (error: Error): void => {
    control.abort(error)
    gaveUp.reject(error)
  }
  const cancel = (): void =>
    giveUp(
      new CancelledError(`${what} was withdrawn: ${asError(signal?.reason).message}`, {
        cause: signal?.reason,
      }),
    )
  const disarm = clock.after(deadlineMs, () =>
    giveUp(new DeadlineError(`${what}: not done within ${deadlineMs} ms`)),
  )
  signal?.addEventListener('abort', cancel, { once: true })
  if (signal?.aborted) cancel()
  try {
    return await Promise.race([gaveUp.promise, begin(control.signal)])
  } finally {
    disarm()
    signal?.removeEventListener('abort', cancel)
  }
}
