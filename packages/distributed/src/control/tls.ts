// Mutual TLS 1.3 for gRPC. grpc-js has no setting for the version, for the time that a handshake may take, and for names that are no hosts: its credentials are made here.
import { type CallCredentials, ChannelCredentials, credentials as grpcCredentials } from '@grpc/grpc-js'
import { X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect, type PeerCertificate } from 'node:tls'
import type { Clock } from '../clock.ts'
import { asError, SecurityError } from '../errors.ts'
import { atMoment } from '../security/expiry.ts'
import { type NodeCredentials, verifyIdentity } from '../security/identity.ts'
import { type Credentials, presentOf } from '../security/renewable.ts'
import { securedPeer } from '../transport/acceptPeers.ts'
import type { PeerIdentity } from '../transport/contract.ts'
import { askingSettings, type Security } from '../transport/security.ts'

type Connector = ReturnType<ChannelCredentials['_createSecureConnector']>

/** How long a handshake may take. */
export const handshakeMs = 2500
/** What both sides name in the handshake. */
export const alpn = 'h2'

/** Makes sure that a peer is the one that was meant. @throws SecurityError. */
export type CheckPeer = (peer: PeerIdentity) => void

/** What a client connects with. */
export const channelCredentials = (security: Security, clock: Clock, check: CheckPeer): ChannelCredentials =>
  'credentials' in security
    ? new MutualChannel(security.credentials, clock, check)
    : grpcCredentials.createInsecure()

/** Who showed this certificate, if it is of this cluster. @throws SecurityError. */
export function identityOf(
  certificate: PeerCertificate | undefined,
  { authority }: NodeCredentials,
): PeerIdentity {
  if (!certificate?.raw) throw new SecurityError('the peer showed no certificate')
  return verifyIdentity(new X509Certificate(certificate.raw), authority)
}

class MutualChannel extends ChannelCredentials {
  readonly #credentials: Credentials
  readonly #clock: Clock
  readonly #checkPeer: CheckPeer

  constructor(credentials: Credentials, clock: Clock, checkPeer: CheckPeer) {
    super()
    this.#credentials = credentials
    this.#clock = clock
    this.#checkPeer = checkPeer
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

  /** A socket under TLS, until the certificate ends that it was opened with. */
  #secure(socket: Socket): Promise<Socket> {
    const credentials = presentOf(this.#credentials)
    return new Promise((resolve, reject) => {
      const secure = connect({ ...askingSettings(credentials), socket, ALPNProtocols: [alpn] })
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
        try {
          const peer = securedPeer(secure, credentials, alpn)
          this.#checkPeer(peer)
          secure.once(
            'close',
            atMoment(peer.expiresAt, this.#clock, () => secure.destroy()),
          )
          resolve(secure)
        } catch (thrown) {
          secure.destroy()
          reject(asError(thrown))
        }
      })
    })
  }
}
