// The side that accepts: sockets of peers whose certificates are good are handed on, others are ended before a byte of theirs is read.
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createSecureServer, type TLSSocket } from 'node:tls'
import { asError, ConnectError, SecurityError } from '../errors.ts'
import { type Credentials, onRenewal, presentOf } from '../security/renewable.ts'
import { formatAddress } from './address.ts'
import type { Listener, PeerIdentity } from './contract.ts'
import { askingSettings, peerOf, refusalOf, type Security, tlsSettings } from './security.ts'

/** A host and a port of it; port 0 is any that is free. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** A protocol of somebody else's on the same port; which one is spoken is agreed on in the handshake of TLS. */
export interface OtherProtocol {
  /** Are those let in who have no certificate of this cluster? Default false: then `peer` is there. */
  readonly strangers?: boolean
  /** Called in the turn in which the socket is ready, before its first bytes. What it throws ends the socket. */
  readonly accepted: (socket: TLSSocket, peer: PeerIdentity | undefined) => void
}

/** What may be asked of a port besides. */
export interface AcceptRules {
  /** Throws for a peer that is not to be let in although its certificate is good: one that was removed. Default: all are let in. */
  readonly admit?: ((peer: PeerIdentity) => void) | undefined
  /** What else is spoken at the port, by name. Only under TLS. Default: nothing. */
  readonly protocols?: Readonly<Record<string, OtherProtocol>> | undefined
}

/** Whom to let in, and how. */
export interface AcceptOptions extends AcceptRules {
  readonly security: Security
  /** What both sides have to name in the handshake of TLS: 'h2'. */
  readonly protocol: string
  /** Milliseconds that the handshake may take. */
  readonly handshakeMs: number
  /** Called in the turn in which the socket is ready, before its first bytes. */
  readonly accepted: (socket: Socket, peer: PeerIdentity) => void
  /** Told of each peer that was refused, in one error. */
  readonly refused: (error: Error) => void
}

/** Listens. @throws ConnectError where it cannot. */
export function acceptPeers(at: HostPort, options: AcceptOptions): Promise<Listener> {
  const { security, accepted } = options
  if (!('credentials' in security))
    return listening(
      createServer((socket) => accepted(socket, inClear(socket))),
      at,
    )
  return acceptSecurely(at, security.credentials, options)
}

async function acceptSecurely(
  at: HostPort,
  credentials: Credentials,
  { protocol, protocols = {}, admit, handshakeMs, accepted, refused }: AcceptOptions,
): Promise<Listener> {
  const settings = askingSettings(presentOf(credentials))
  const server = createSecureServer(
    { ...settings, ALPNProtocols: [protocol, ...Object.keys(protocols)], handshakeTimeout: handshakeMs },
    (socket) => {
      const other = socket.alpnProtocol ? protocols[socket.alpnProtocol] : undefined
      try {
        if (other?.strangers) return other.accepted(socket, undefined)
        const spoken = (other && socket.alpnProtocol) || protocol
        const peer = securedPeer(socket, presentOf(credentials), spoken)
        admit?.(peer)
        if (other) other.accepted(socket, peer)
        else accepted(socket, peer)
      } catch (thrown) {
        socket.on('error', () => undefined).destroy()
        refused(asError(thrown))
      }
    },
  )
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const refusal = refusalOf(error, socket)
    socket.destroy()
    refused(refusal)
  })
  return renewing(server, credentials, await listening(server, at))
}

/** Has a server show the certificates that follow, until its listener is closed. */
export function renewing(
  server: { setSecureContext(settings: object): void },
  credentials: Credentials,
  listener: Listener,
): Listener {
  const forget = onRenewal(credentials, (next) => server.setSecureContext(tlsSettings(next)))
  return {
    address: listener.address,
    close: async () => {
      forget()
      await listener.close()
    },
  }
}

/** Who is at the other end, if it speaks the protocol. @throws SecurityError. */
export function securedPeer(
  socket: TLSSocket,
  credentials: Parameters<typeof peerOf>[1],
  protocol: string,
): PeerIdentity {
  const peer = peerOf(socket, credentials)
  if (socket.alpnProtocol !== protocol)
    throw new SecurityError(`the peer '${peer.node}' does not speak ${protocol}`)
  return peer
}

/** The address is all that is known of a peer without a certificate. */
export const inClear = ({ remoteAddress = '', remotePort = 0 }: Socket): PeerIdentity => ({
  cluster: '',
  node: formatAddress({ host: remoteAddress, port: remotePort }),
  role: '',
})

/** Waits until a server listens. @throws ConnectError. */
export function listening(server: Server, { host, port }: HostPort): Promise<Listener> {
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
