// Connections between processes over sockets: TLS 1.3 with both certificates, or in clear within one machine.
import { connect as connectClear } from 'node:net'
import { connect as connectSecure, type TLSSocket } from 'node:tls'
import { systemClock, type Clock } from '../clock.ts'
import { asError, ConnectError, SecurityError, ValidityError } from '../errors.ts'
import { presentOf } from '../security/renewable.ts'
import { acceptPeers, type AcceptRules, inClear, securedPeer } from './acceptPeers.ts'
import { formatAddress, parseAddress } from './address.ts'
import type { Connection, ConnectOptions, Listener, ListenOptions, Transport } from './contract.ts'
import { attempt, open, type StreamOptions } from './opening.ts'
import { alpn, askingSettings, checkHost, checkSecurity, reasonOf, type Security } from './security.ts'
import { SocketStream } from './socketStream.ts'

/** How to use sockets. */
export type SocketOptions = Security &
  StreamOptions &
  AcceptRules & {
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
    checkHost(this.#options, host)
    const options = {
      security: this.#options,
      protocol: alpn,
      handshakeMs,
      refused,
      admit: this.#options.admit,
      protocols: this.#options.protocols,
      accepted: (socket, peer) => {
        const stream = new SocketStream().attach(socket, true)
        const from = socket.remoteAddress ?? 'a peer that is gone'
        attempt(`a connection from ${from}`, { deadlineMs: handshakeMs }, this.#clock, (aborted) => {
          aborted.addEventListener('abort', () => socket.destroy(), { once: true })
          return open(stream, peer, this.#options)
        }).then(connected, refused)
      },
    } satisfies Parameters<typeof acceptPeers>[1]
    return acceptPeers({ host, port }, options)
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
    const credentials = 'credentials' in security ? presentOf(security.credentials) : undefined
    const address = formatAddress({ host, port })
    return new Promise((resolve, reject) => {
      const stream = new SocketStream()
      const { onread } = stream
      const target = { host, port, onread }
      const socket = credentials
        ? connectSecure({ ...askingSettings(credentials), ...target, ALPNProtocols: [alpn] })
        : connectClear(target)
      stream.attach(socket, false)
      aborted.addEventListener('abort', () => socket.destroy(), { once: true })
      socket.once('error', (error) =>
        reject(new ConnectError(`${address} cannot be reached: ${reasonOf(error)}`, { cause: error })),
      )
      socket.once(credentials ? 'secureConnect' : 'connect', () => {
        try {
          const peer = credentials ? securedPeer(socket as TLSSocket, credentials, alpn) : inClear(socket)
          this.#options.admit?.(peer)
          open(stream, peer, this.#options).then(resolve, reject)
        } catch (thrown) {
          socket.destroy()
          const message = `${address} is refused: ${asError(thrown).message}`
          // A peer whose certificate has ended may have another one soon.
          const Refusal = thrown instanceof ValidityError ? ConnectError : SecurityError
          reject(new Refusal(message, { cause: thrown }))
        }
      })
    })
  }
}
