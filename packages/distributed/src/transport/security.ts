// What secures a listener or a connection: credentials, or on this machine alone the word insecure.
import type { Socket } from 'node:net'
import type { ConnectionOptions, TLSSocket, TlsOptions } from 'node:tls'
import { SecurityError } from '../errors.ts'
import { checkCredentials, type NodeCredentials, verifyIdentity } from '../security/identity.ts'
import { type Credentials, presentOf } from '../security/renewable.ts'
import { demandLoopback } from './address.ts'
import type { PeerIdentity } from './contract.ts'

/** Either mutual TLS 1.3 with this node's credentials, or no security at all, which only addresses of this machine may have. */
export type Security = { readonly credentials: Credentials } | { readonly insecure: true }

/** What peers agree on in the TLS handshake. */
export const alpn = 'shoal/1'

/** Checks credentials when a transport is made; says so where there are none. @throws SecurityError. */
export function checkSecurity(security: Security, log: (line: string) => void): void {
  if ('credentials' in security) checkCredentials(presentOf(security.credentials))
  else if (security.insecure === true)
    log(
      'insecure: connections on this machine are neither encrypted nor authenticated; every program on it may use them',
    )
  else throw new SecurityError('give credentials, or insecure: true for connections on this machine')
}

/** Refuses clear text that leaves this machine. @throws SecurityError. */
export function checkHost(security: Security, host: string): void {
  if (!('credentials' in security)) demandLoopback(host)
}

/** The settings of both sides: TLS 1.3, both certificates by the cluster's authority. Names are checked by `peerOf`, not as hosts. */
export const tlsSettings = ({
  certificate,
  privateKey,
  authority,
}: NodeCredentials): TlsOptions & ConnectionOptions => ({
  cert: certificate,
  key: privateKey,
  ca: authority,
  requestCert: true,
  rejectUnauthorized: true,
  minVersion: 'TLSv1.3',
  checkServerIdentity: () => undefined,
})

/** The same for those who ask `peerOf` before a byte is read or written: it refuses as TLS would, and can say whom. */
export const askingSettings = (credentials: NodeCredentials): TlsOptions & ConnectionOptions => ({
  ...tlsSettings(credentials),
  rejectUnauthorized: false,
})

/** Who is at the other end of a handshake that is done. @throws SecurityError for a certificate that is not good, or that this cluster did not give. */
export function peerOf(socket: TLSSocket, { authority }: NodeCredentials): PeerIdentity {
  const certificate = socket.getPeerX509Certificate()
  if (!certificate) throw new SecurityError('the peer showed no certificate')
  const peer = verifyIdentity(certificate, authority)
  if (!socket.authorized)
    throw new SecurityError(
      `the certificate of '${peer.node}' is not good: ${String(socket.authorizationError)}`,
    )
  return peer
}

/** Why a handshake or a connection has failed, in few words: OpenSSL's messages name its files and lines, its reason is for people. */
export function reasonOf(error: Error): string {
  const { reason } = error as { readonly reason?: unknown }
  return typeof reason === 'string' ? reason : error.message.trim()
}

/** The error for a peer whose handshake came to nothing: where it is, as long as that is known, and why. */
export function refusalOf(error: NodeJS.ErrnoException, { remoteAddress }: Socket): SecurityError {
  const who = remoteAddress === undefined ? 'a peer' : `a peer at ${remoteAddress}`
  const hungUp = error.code === 'ECONNRESET'
  const why = hungUp ? 'it hung up in the handshake, as those do who refuse this node' : reasonOf(error)
  return new SecurityError(`${who} was refused: ${why}`, { cause: error })
}
