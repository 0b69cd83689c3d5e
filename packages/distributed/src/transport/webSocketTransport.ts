// WebSockets in Node, by ws: for peers that are browsers, and where only HTTP gets through.
import {
  createServer,
  type IncomingMessage,
  type Server as ClearServer,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { WebSocket as NodeWebSocket, WebSocketServer } from 'ws'
import { type Clock, systemClock } from '../clock.ts'
import { asError, SecurityError } from '../errors.ts'
import { chunkBytes, defaultLimits } from '../frame/limits.ts'
import { longestStart } from '../frame/start.ts'
import { presentOf } from '../security/renewable.ts'
import { inClear, listening, renewing } from './acceptPeers.ts'
import { parseAddress } from './address.ts'
import type {
  Connection,
  ConnectOptions,
  Listener,
  ListenOptions,
  PeerIdentity,
  Transport,
} from './contract.ts'
import { attempt, open } from './opening.ts'
import { checkHost, checkSecurity, peerOf, refusalOf, tlsSettings } from './security.ts'
import type { SocketOptions } from './socket.ts'
import { openWebSocket, subprotocol, WebSocketStream } from './webSocket.ts'

/** How to use WebSockets. */
export type WebSocketOptions = SocketOptions & {
  /** The origins whose pages may connect: `https://board.example`. Default: none, so that no page in a browser reaches the cluster. */
  readonly origins?: readonly string[]
}

/** How long a stranger may take to become a peer. */
const handshakeMs = 5000

/** What plain HTTP is answered: a WebSocket is wanted. */
const upgrade = (_: IncomingMessage, response: ServerResponse): void =>
  void response.writeHead(426, { Connection: 'close', Upgrade: 'websocket' }).end()

/** Framed WebSockets. Addresses are `host:port`; port 0 listens at a free one. */
export class WebSocketTransport implements Transport {
  readonly #options: WebSocketOptions
  readonly #clock: Clock
  readonly #settings: object

  /** @throws SecurityError for credentials that are not valid, or neither credentials nor `insecure`. */
  constructor(options: WebSocketOptions) {
    checkSecurity(options, options.log ?? console.warn)
    this.#options = options
    this.#clock = options.clock ?? systemClock
    const maxPayload = longestStart({ ...defaultLimits, ...options.frames }) + chunkBytes
    this.#settings = { perMessageDeflate: false, skipUTF8Validation: true, maxPayload }
  }

  async listen(address: string, { connected, refused = () => {} }: ListenOptions): Promise<Listener> {
    const at = parseAddress(address)
    const security = this.#options
    checkHost(security, at.host)
    const secure =
      'credentials' in security
        ? createSecureServer(
            { ...tlsSettings(presentOf(security.credentials)), handshakeTimeout: handshakeMs },
            upgrade,
          )
        : undefined
    const server: ClearServer = secure ?? createServer(upgrade)
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => refused(refusalOf(error, socket)))
    const sockets = new WebSocketServer({
      noServer: true,
      handleProtocols: (offered) => offered.has(subprotocol) && subprotocol,
      ...this.#settings,
    })
    server.on('upgrade', (request, socket, head) => {
      try {
        const { origin } = request.headers
        if (origin !== undefined && !security.origins?.includes(origin))
          throw new SecurityError(`a page of ${origin} was refused: name it in origins to let it in`)
        const peer = this.#peerOf(socket as Socket)
        sockets.handleUpgrade(request, socket as Socket, head, (webSocket) =>
          this.#accept(webSocket, peer, { connected, refused }),
        )
      } catch (thrown) {
        socket.destroy()
        refused(asError(thrown))
      }
    })
    const listener = await listening(server, at)
    return secure && 'credentials' in security ? renewing(secure, security.credentials, listener) : listener
  }

  async connect(address: string, options: ConnectOptions): Promise<Connection> {
    const { host } = parseAddress(address)
    const security = this.#options
    checkHost(security, host)
    const secure = 'credentials' in security
    return attempt(`connecting to ${address}`, options, this.#clock, (aborted) => {
      const socket = new NodeWebSocket(`${secure ? 'wss' : 'ws'}://${address}`, subprotocol, {
        ...this.#settings,
        ...(secure && tlsSettings(presentOf(security.credentials))),
      })
      let connection: Socket | undefined
      socket.once('upgrade', (response) => (connection = response.socket))
      return openWebSocket(asStandard(socket), aborted, async () =>
        open(streamOf(socket), this.#peerOf(connection!), security),
      )
    })
  }

  #accept(socket: NodeWebSocket, peer: PeerIdentity, { connected, refused }: Required<ListenOptions>): void {
    attempt(`a connection from ${peer.node}`, { deadlineMs: handshakeMs }, this.#clock, (aborted) => {
      aborted.addEventListener('abort', () => socket.terminate(), { once: true })
      return open(streamOf(socket), peer, this.#options)
    }).then(connected, refused)
  }

  #peerOf(socket: Socket): PeerIdentity {
    const security = this.#options
    return 'credentials' in security
      ? peerOf(socket as TLSSocket, presentOf(security.credentials))
      : inClear(socket)
  }
}

const asStandard = (socket: NodeWebSocket): WebSocket => socket as unknown as WebSocket

function streamOf(socket: NodeWebSocket): WebSocketStream {
  socket.binaryType = 'nodebuffer'
  return new WebSocketStream(asStandard(socket), socket)
}
