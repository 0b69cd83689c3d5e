// Connections between processes over sockets: TLS 1.3 with both certificates, or in clear within one machine.
import { connect as connectClear, createServer, type Server, type Socket } from 'node:net'
import { connect as connectSecure, createServer as createSecureServer, type TLSSocket } from 'node:tls'
import { systemClock, type Clock } from '../clock.ts'
import { asError, ConnectError, SecurityError } from '../errors.ts'
import { formatAddress, parseAddress } from './address.ts'
import type {
  Connection,
  ConnectOptions,
  Listener,
  ListenOptions,
  PeerIdentity,
  Transport,
} from './contract.ts'
import { attempt, open, type StreamOptions } from './opening.ts'
import { alpn, checkHost, checkSecurity, peerOf, reasonOf, refusalOf, type Security, tlsSettings } from './security.ts'
import { SocketStream } from './socketStream.ts'

/** How to use sockets. */
export type SocketOptions = Security &
  StreamOptions & {
    /** Told of what a person should know. Default: `console.warn`. */
    readonly log?: (line: string) => void
  }

/** How long a stranger may take to become a peer. */
const handshakeMs = 5000

/**
 * Framed sockets. Addresses are `host:port`; port 0 listens at a free one. The side that dials receives fastest: it reads into a buffer of
 * its own, which Node does not offer to the side that accepts. Let those connect who fetch the tensors.
 */
export class SocketTransport implements Transport {
  readonly #options: SocketOptions
  readonly #clock: Clock

  /** @throws SecurityError for credentials that are not valid, or neither credentials nor `insecure`. */
  constructor(options: SocketOptions) {
    checkSecurity(options, options.log ?? console.warn)
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  async listen(address: string, { connected, refused = () => {} }: ListenOptions): Promise<Listener> {
    const { host, port } = parseAddress(address)
    const security = this.#options
    checkHost(security, host)
    const accept = (socket: Socket, who: (socket: Socket) => PeerIdentity): void => {
      const stream = new SocketStream().attach(socket, true)
      const from = socket.remoteAddress ?? 'a peer that is gone'
      let peer: PeerIdentity
      try {
        peer = who(socket)
      } catch (thrown) {
        socket.destroy()
        return refused(asError(thrown))
      }
      attempt(`a connection from ${from}`, { deadlineMs: handshakeMs }, this.#clock, (aborted) => {
        aborted.addEventListener('abort', () => socket.destroy(), { once: true })
        return open(stream, peer, this.#options)
      }).then(connected, refused)
    }
    let server: Server
    if ('credentials' in security) {
      const settings = {
        ...tlsSettings(security.credentials),
        ALPNProtocols: [alpn],
        handshakeTimeout: handshakeMs,
      }
      server = createSecureServer(settings, (socket) => accept(socket, () => this.#secured(socket)))
      server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
        const refusal = refusalOf(error, socket)
        socket.destroy()
        refused(refusal)
      })
    } else server = createServer((socket) => accept(socket, inClear))
    return listening(server, { host, port })
  }

  async connect(address: string, options: ConnectOptions): Promise<Connection> {
    const { host, port } = parseAddress(address)
    checkHost(this.#options, host)
    return attempt(`connecting to ${address}`, options, this.#clock, (aborted) =>
      this.#dial(host, port, aborted),
    )
  }

  #dial(host: string, port: number, aborted: AbortSignal): Promise<Connection> {
    const security = this.#options
    return new Promise((resolve, reject) => {
      const stream = new SocketStream()
      const { onread } = stream
      const target = { host, port, onread }
      const secure = 'credentials' in security
      const socket = secure
        ? connectSecure({ ...tlsSettings(security.credentials), ...target, ALPNProtocols: [alpn] })
        : connectClear(target)
      stream.attach(socket, false)
      aborted.addEventListener('abort', () => socket.destroy(), { once: true })
      socket.once('error', (error) =>
        reject(
          new ConnectError(`${formatAddress({ host, port })} cannot be reached: ${reasonOf(error)}`, {
            cause: error,
          }),
        ),
      )
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        try {
          const peer = secure ? this.#secured(socket as TLSSocket) : inClear(socket)
          open(stream, peer, this.#options).then(resolve, reject)
        } catch (thrown) {
          socket.destroy()
          reject(asError(thrown))
        }
      })
    })
  }

  #secured(socket: TLSSocket): PeerIdentity {
    const security = this.#options
    if (!('credentials' in security)) throw new SecurityError('no credentials')
    if (socket.alpnProtocol !== alpn) throw new SecurityError(`the peer does not speak ${alpn}`)
    return peerOf(socket, security.credentials)
  }
}

/** The address is all that is known of a peer without a certificate. */
export const inClear = ({ remoteAddress = '', remotePort = 0 }: Socket): PeerIdentity => ({
  cluster: '',
  node: formatAddress({ host: remoteAddress, port: remotePort }),
  role: '',
})

/** Waits until a server listens. @throws ConnectError. */
export function listening(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new ConnectError(`cannot listen at ${formatAddress({ host, port })}: ${error.message}`, {
          cause: error,
        }),
      ),
    )
    server.listen({ host, port }, () => {
      const at = server.address() as { readonly port: number }
      resolve({
        address: formatAddress({ host, port: at.port }),
        close: async () => {
          server.close()
        },
      })
    })
  })
}
