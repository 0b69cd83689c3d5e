// What makes a node one of a cluster: its certificate and key, and for managers the key that makes others so.
import { createPublicKey, X509Certificate } from 'node:crypto'
import {
  type ClusterAuthority,
  type NodeCredentials,
  SecurityError,
  verifyIdentity,
} from '@shoal/distributed/peers'
import { z } from 'zod'
import { type Role, roleSchema } from '../api/node.ts'
import { newNodeKey } from './nodeKey.ts'

/** What a node has of its cluster. */
export const membershipSchema = z.object({
  credentials: z.object({ certificate: z.string(), privateKey: z.string(), authority: z.string() }),
  /** The private key of the cluster's authority, PEM; managers have it. */
  authorityKey: z.string().optional(),
})
/** What a node has of its cluster. */
export type Membership = z.infer<typeof membershipSchema>

/** A member of a cluster, as its certificate names it. */
export interface Member {
  readonly nodeId: string
  readonly clusterId: string
  readonly role: Role
}

/**
 * Whom credentials name, be they still valid or not.
 * @throws SecurityError where they do not belong together, or name no member of a cluster.
 */
export function memberOf({ certificate, privateKey, authority }: NodeCredentials): Member {
  const own = new X509Certificate(certificate)
  const begun = Math.max(validityOf({ certificate }).from, validityOf({ certificate: authority }).from)
  const { node, cluster, role } = verifyIdentity(own, authority, new Date(begun))
  const spki = { type: 'spki', format: 'pem' } as const
  if (createPublicKey(privateKey).export(spki) !== own.publicKey.export(spki))
    throw new SecurityError(`the private key of '${node}' is not that of its certificate`)
  const known = roleSchema.safeParse(role)
  if (!known.success)
    throw new SecurityError(
      `'${node}' has the role '${role}': ${roleSchema.options.join(', ')} are those of nodes`,
    )
  return { nodeId: node, clusterId: cluster, role: known.data }
}

/** From when to when a certificate is valid, in milliseconds since 1970. */
export function validityOf({ certificate }: Pick<NodeCredentials, 'certificate'>): {
  readonly from: number
  readonly to: number
} {
  const { validFrom, validTo } = new X509Certificate(certificate)
  return { from: Date.parse(validFrom), to: Date.parse(validTo) }
}

/** A new key, and the authority's certificate for it. */
export async function certified(
  authority: ClusterAuthority,
  { nodeId, role }: Pick<Member, 'nodeId' | 'role'>,
): Promise<NodeCredentials> {
  const { publicKey, privateKey } = newNodeKey()
  const certificate = await authority.sign({ node: nodeId, role, publicKey })
  return { certificate, privateKey, authority: authority.certificate }
}
