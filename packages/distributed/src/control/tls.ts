// Mutual TLS 1.3 for gRPC. grpc-js has no setting for the version, for the time that a handshake may take, and for names that are no hosts: its credentials are made here.
import {
  type CallCredentials,
  ChannelCredentials,
  credentials as grpcCredentials,
  ServerCredentials,
} from '@grpc/grpc-js'
import { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect, type PeerCertificate } from 'node:tls'
import { asError, SecurityError } from '../errors.ts'
import { type NodeCredentials, verifyIdentity } from '../security/identity.ts'
import type { PeerIdentity } from '../transport/contract.ts'
import { type Security, tlsSettings } from '../transport/security.ts'

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>

/** How long a stranger may take to become a peer. */
const handshakeMs = 2500

/** What a server listens with. */
export const serverCredentials = (security: Security): ServerCredentials =>
  'credentials' in security ? new MutualServer(security.credentials) : ServerCredentials.createInsecure()

/**
 * What a client connects with.
 * @param node the id that the server's certificate has to name. Default: any of the cluster.
 */
export const channelCredentials = (security: Security, node?: string): ChannelCredentials =>
  'credentials' in security ? new MutualChannel(security.credentials, node) : grpcCredentials.createInsecure()

/** Who showed this certificate, if it is of this cluster. @throws SecurityError. */
export function identityOf(
  certificate: PeerCertificate | undefined,
  { authority }: NodeCredentials,
): PeerIdentity {
  if (!certificate?.raw) throw new SecurityError('the peer showed no certificate')
  return verifyIdentity(new X509Certificate(certificate.raw), authority)
}

class MutualServer extends ServerCredentials {
  constructor(credentials: NodeCredentials) {
    const { cert, key, ca, checkServerIdentity: _, ...rest } = tlsSettings(credentials)
    super({ ...rest, handshakeTimeout: handshakeMs } as object, { cert, key, ca } as object)
  }
  override _equals(other: ServerCredentials): boolean {
    return this === other
  }
}

class MutualChannel extends ChannelCredentials {
  readonly #credentials: NodeCredentials
  readonly #node: string | undefined

  constructor(credentials: NodeCredentials, node: string | undefined) {
    super()
    this.#credentials = credentials
    this.#node = node
  }

  override _isSecure(): boolean {
    return true
  }
  override _equals(other: ChannelCredentials): boolean {
    return this === other
  }
  override _createSecureConnector(
    _target: unknown,
    _options: unknown,
    callCredentials?: CallCredentials,
  ): Connector {
    return {
      connect: async (socket) => ({ socket: await this.#secure(socket), secure: true }),
      waitForReady: async () => {},
      getCallCredentials: () => callCredentials ?? grpcCredentials.createEmpty(),
      destroy: () => {},
    }
  }

  #secure(socket: Socket): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const settings = tlsSettings(this.#credentials)
      const secure = connect({
        ...settings,
        socket,
        ALPNProtocols: ['h2'],
        checkServerIdentity: (_, certificate) => this.#check(certificate),
      })
      const late = setTimeout(
        () => secure.destroy(new Error(`no TLS handshake within ${handshakeMs} ms`)),
        handshakeMs,
      )
      // Also when it was closed without an error; later calls change nothing.
      secure.once('close', () => {
        clearTimeout(late)
        reject(new Error('it closed the connection in the TLS handshake'))
      })
      secure.on('error', reject)
      secure.once('secureConnect', () => {
        clearTimeout(late)
        resolve(secure)
      })
    })
  }

  #check(certificate: PeerCertificate): Error | undefined {
    try {
      const { node } = identityOf(certificate, this.#credentials)
      if (this.#node === undefined || node === this.#node) return undefined
      return new SecurityError(`the certificate names '${node}' where '${this.#node}' is expected`)
    } catch (thrown) {
      return asError(thrown)
    }
  }
}
