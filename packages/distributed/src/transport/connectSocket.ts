// A connection over a socket that somebody else has opened, and whose peer is known from there.
import type { Socket } from 'node:net'
import { systemClock } from '../clock.ts'
import type { Connection, ConnectOptions, PeerIdentity } from './contract.ts'
import { attempt, open, type StreamOptions } from './opening.ts'
import { SocketStream } from './socketStream.ts'

/**
 * Speaks the protocol over a socket that is there: one end of a pair, or what another process has handed over. Both sides do the same.
 * Nothing may have been read of it. The socket belongs to the connection from now on, and is ended where the attempt fails.
 * @param peer who is at the other end: it is not asked.
 * @throws ConnectError when the peer ends the stream or does not speak the protocol, DeadlineError, CancelledError.
 */
export function connectSocket(
  socket: Socket,
  peer: PeerIdentity,
  options: ConnectOptions & StreamOptions,
): Promise<Connection> {
  const stream = new SocketStream().attach(socket, true)
  return attempt(`opening a stream to '${peer.node}'`, options, options.clock ?? systemClock, (aborted) => {
    aborted.addEventListener('abort', () => socket.destroy(), { once: true })
    const opened = open(stream, peer, options)
    // Whoever had it before may have kept it from reading.
    socket.resume()
    return opened
  })
}
