// A socket to a node of the cluster, for protocols that are not the transport's own.
import { connect, type TLSSocket } from 'node:tls'
import { type Clock, systemClock } from '../clock.ts'
import { asError, ConnectError, SecurityError } from '../errors.ts'
import { type Credentials, presentOf } from '../security/renewable.ts'
import { securedPeer } from './acceptPeers.ts'
import { parseAddress } from './address.ts'
import type { ConnectOptions, PeerIdentity } from './contract.ts'
import { attempt } from './opening.ts'
import { askingSettings, reasonOf } from './security.ts'

/** How to dial. */
export interface DialOptions extends ConnectOptions {
  readonly credentials: Credentials
  /** What both sides have to name in the handshake of TLS. */
  readonly protocol: string
  /** Default: the system's. */
  readonly clock?: Clock
}

/** A socket under mutual TLS 1.3, and who is at its other end. */
export interface Dialled {
  readonly socket: TLSSocket
  readonly peer: PeerIdentity
}

/**
 * Connects to `host:port` of a node that listens for the protocol there. The socket is paused until its reader is attached.
 * @throws ConnectError where nobody answers, SecurityError for a peer of another cluster, DeadlineError, CancelledError.
 */
export function dial(address: string, options: DialOptions): Promise<Dialled> {
  const { protocol, clock = systemClock } = options
  const { host, port } = parseAddress(address)
  return attempt(`connecting to ${address}`, options, clock, (aborted) => {
    const credentials = presentOf(options.credentials)
    return new Promise((resolve, reject) => {
      const socket = connect({ ...askingSettings(credentials), host, port, ALPNProtocols: [protocol] })
      const withdraw = (): void => void socket.destroy()
      const failed = (error: Error): void =>
        reject(new ConnectError(`${address} cannot be reached: ${reasonOf(error)}`, { cause: error }))
      aborted.addEventListener('abort', withdraw, { once: true })
      socket.once('error', failed)
      socket.once('secureConnect', () => {
        aborted.removeEventListener('abort', withdraw)
        socket.off('error', failed)
        try {
          resolve({ socket, peer: securedPeer(socket, credentials, protocol) })
        } catch (thrown) {
          socket.on('error', () => undefined).destroy()
          reject(new SecurityError(`${address} is refused: ${asError(thrown).message}`, { cause: thrown }))
        }
      })
    })
  })
}
