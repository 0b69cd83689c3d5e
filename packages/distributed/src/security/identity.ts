// Who a node is: what its certificate says, and that its cluster's authority has signed it.
import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import { SecurityError, ValidityError } from '../errors.ts'
import type { PeerIdentity } from '../transport/contract.ts'

/** What a node proves who it is with: its certificate and key, and the certificate of its cluster's authority, all PEM. */
export interface NodeCredentials {
  readonly certificate: string
  readonly privateKey: string
  readonly authority: string
}

/** What ids of nodes, and roles, are made of. */
export const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** The id of a cluster: the SHA-256 of its authority's public key, 64 hexadecimal digits. @throws SecurityError for what is no certificate. */
export function clusterOf(authority: string): string {
  const { publicKey } = readCertificate(authority)
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

/**
 * Who a certificate names: its only `URI:spiffe://<cluster>/node/<id>`, and the role, which is its organisational unit. Whether the
 * certificate is to be trusted is another question.
 * @throws SecurityError where it names nobody.
 */
export function namedBy(certificate: X509Certificate): PeerIdentity {
  const names = (certificate.subjectAltName ?? '').split(', ').filter((name) => name.startsWith('URI:'))
  const [, cluster, node] = /^URI:spiffe:\/\/([0-9a-f]{64})\/node\/(.+)$/.exec(names[0] ?? '') ?? []
  if (names.length !== 1 || !cluster || !node || !namePattern.test(node))
    throw new SecurityError(`the certificate of ${saidOf(certificate)} names no node of a cluster`)
  const { OU: role } = certificate.toLegacyObject().subject
  if (Array.isArray(role)) throw new SecurityError(`the certificate of '${node}' has more than one role`)
  return { cluster, node, role: typeof role === 'string' ? role : '' }
}

/**
 * Who a certificate names, if the authority vouches for it at this moment.
 * @param now default: the time of this machine.
 * @throws SecurityError for one of another authority or another cluster, ValidityError for one that is not valid yet or any more.
 */
export function verifyIdentity(
  certificate: string | X509Certificate,
  authority: string,
  now = new Date(),
): PeerIdentity {
  const own = typeof certificate === 'string' ? readCertificate(certificate) : certificate
  const issuer = readCertificate(authority)
  const identity = namedBy(own)
  const cluster = clusterOf(authority)
  const who = `the certificate of '${identity.node}'`
  if (!own.checkIssued(issuer) || !own.verify(issuer.publicKey))
    throw new SecurityError(
      `${who} was not issued by the authority of this cluster, ${cluster}: it names cluster ${identity.cluster}`,
    )
  for (const { validFrom, validTo } of [own, issuer])
    if (now < new Date(validFrom) || now > new Date(validTo))
      throw new ValidityError(`${who} is valid from ${validFrom} to ${validTo}, which is not now`)
  if (identity.cluster !== cluster)
    throw new SecurityError(`${who} is for cluster ${identity.cluster}, this is ${cluster}`)
  return { ...identity, expiresAt: Math.min(...[own, issuer].map(({ validTo }) => Date.parse(validTo))) }
}

/** Checks that credentials belong together and are valid. @throws SecurityError. */
export function checkCredentials({ certificate, privateKey, authority }: NodeCredentials): PeerIdentity {
  const identity = verifyIdentity(certificate, authority)
  const spki = { type: 'spki', format: 'pem' } as const
  if (createPublicKey(privateKey).export(spki) !== readCertificate(certificate).publicKey.export(spki))
    throw new SecurityError(`the private key of '${identity.node}' is not that of its certificate`)
  return identity
}

/** What a certificate says whom it is for, in one line: anybody may have written it. */
const saidOf = ({ subject }: X509Certificate): string => JSON.stringify((subject ?? '').slice(0, 200))

function readCertificate(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (cause) {
    throw new SecurityError('what was given is no certificate in PEM', { cause })
  }
}
