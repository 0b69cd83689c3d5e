// A node's own key: made where it is used, and never sent. What is sent is its public half, with a proof that the other half is there.
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'

/** A pair of keys of the curve P-256, PEM. */
export interface NodeKey {
  readonly publicKey: string
  readonly privateKey: string
}

/** A new pair. */
export const newNodeKey = (): NodeKey =>
  generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })

/** Signs what is said, for a purpose: what was signed for one is of no use for another. Base64. */
export const signedFor = (purpose: string, said: Uint8Array | string, privateKey: string): string =>
  sign('sha256', labelled(purpose, said), privateKey).toString('base64')

/** Has the owner of the key signed that, for that purpose? `publicKey` may be a certificate. */
export function isSignedFor(
  purpose: string,
  said: Uint8Array | string,
  publicKey: string,
  signature: string,
): boolean {
  try {
    return verify(
      'sha256',
      labelled(purpose, said),
      createPublicKey(publicKey),
      Buffer.from(signature, 'base64'),
    )
  } catch {
    // What was given is no key.
    return false
  }
}

/** Begins with a letter, as no certificate does: the authority's signature of one cannot pass for that of the other. */
const labelled = (purpose: string, said: Uint8Array | string): Uint8Array =>
  Buffer.concat([Buffer.from(`shoal ${purpose}\n`), Buffer.from(said as Uint8Array)])
