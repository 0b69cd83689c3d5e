// What is made of the secret in a code: a name by which the invitation is found, and a key. Neither leads back to the secret, and the name does not lead to the key.
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/** An invitation, as both sides compute it. */
export interface InvitationSecrets {
  /** What the invitation is called: 32 hexadecimal digits. */
  readonly id: string
  /** What both sides show each other that they have: 64 hexadecimal digits. */
  readonly key: string
}

/** By HKDF, RFC 5869, with the cluster as salt. */
export function secretsOf(secret: Uint8Array, clusterId: string): InvitationSecrets {
  const derived = (purpose: string, bytes: number): string =>
    Buffer.from(
      hkdfSync('sha256', secret, Buffer.from(clusterId, 'hex'), `shoal ${purpose}`, bytes),
    ).toString('hex')
  return { id: derived('invitation', 16), key: derived('joining', 32) }
}

/**
 * Shows that one has the key, to whom is at the other end of this connection and to nobody else.
 * @param side who shows it: what one side said is of no use to the other.
 * @param binding bytes that only the two ends of the connection know.
 * @returns base64.
 */
export const proofOf = (key: string, side: 'joiner' | 'inviter', binding: Uint8Array): string =>
  createHmac('sha256', Buffer.from(key, 'hex')).update(`${side} `).update(binding).digest('base64')

/** Is it that proof? Takes as long for a wrong one as for the right one. */
export function isProofOf(
  key: string,
  side: 'joiner' | 'inviter',
  binding: Uint8Array,
  proof: string,
): boolean {
  const right = Buffer.from(proofOf(key, side, binding), 'base64')
  const given = Buffer.from(proof, 'base64')
  return right.length === given.length && timingSafeEqual(right, given)
}
