// A connection over a socket that somebody else has opened, and knows the other end of.
import type { Socket } from 'node:net'
import { type Clock, systemClock } from '../clock.ts'
import type { Connection, ConnectOptions, PeerIdentity } from './contract.ts'
import { namePeer } from './contract.ts'
import { attempt, open, type StreamOptions } from './opening.ts'
import { SocketStream } from './socketStream.ts'

/**
 * Begins to speak over a socket; the other end has to do so as well. Nothing may have been read of it.
 * @param peer who is at the other end, as whoever opened the socket made sure
 * @throws ConnectError when the other end does not speak the protocol, DeadlineError, CancelledError; the socket is then destroyed.
 */
export function connectSocket(
  socket: Socket,
  peer: PeerIdentity,
  { deadlineMs, signal, ...options }: ConnectOptions & StreamOptions,
): Promise<Connection> {
  const clock: Clock = options.clock ?? systemClock
  return attempt(`a stream of ${namePeer(peer)}`, { deadlineMs, signal }, clock, async (aborted) => {
    aborted.addEventListener('abort', () => socket.destroy(), { once: true })
    const opening = open(new SocketStream().attach(socket, true), peer, options)
    // Who hands sockets over stops them first, so that nothing is lost on the way.
    socket.resume()
    try {
      return await opening
    } catch (error) {
      socket.destroy()
      throw error
    }
  })
}
