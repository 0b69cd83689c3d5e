// Who a node is: an id that it keeps, and a cluster. From its first start that is one of its own, so that there is no state in between.
import { hostname } from 'node:os'
import {
  ClusterAuthority,
  type NodeCredentials,
  RenewableCredentials,
  SecurityError,
  ValidityError,
  verifyIdentity,
} from '@shoal/distributed/peers'
import { z } from 'zod'
import type { Role } from '../api/node.ts'
import { certified, memberOf, type Membership, membershipSchema, validityOf } from './membership.ts'
import { freshNodeId } from './nodeId.ts'
import { type Removal, removalOf, Removals, removalSchema } from './removals.ts'
import type { StateFolder } from './stateFolder.ts'

const identityFile = 'identity.json'
const removalsFile = 'removed.json'

const identitySchema = membershipSchema.extend({
  /** Of this format. */
  v: z.literal(1),
})
const removalsSchema = z.object({ clusterId: z.string(), removed: z.array(removalSchema) })

/** What a node is called where it has no id yet. */
export interface IdentityOptions {
  /** Default: the name of this machine. */
  readonly name?: string
}

/** A node in its cluster. It keeps its id whatever cluster it is in; where it changes clusters, another `Identity` takes its place. */
export class Identity {
  readonly nodeId: string
  /** The SHA-256 of the public key of the cluster's authority, 64 hexadecimal digits. */
  readonly clusterId: string
  readonly role: Role
  /** Who was put out of the cluster. */
  readonly removals: Removals
  /** What signs for the nodes of the cluster. Managers have it, others do not. */
  readonly authority: ClusterAuthority | undefined
  readonly #folder: StateFolder
  #newest: NodeCredentials
  #credentials: RenewableCredentials | undefined

  private constructor(folder: StateFolder, membership: Membership, removed: readonly Removal[]) {
    const { credentials, authorityKey } = membership
    const { nodeId, clusterId, role } = memberOf(credentials)
    this.#folder = folder
    this.#newest = credentials
    this.nodeId = nodeId
    this.clusterId = clusterId
    this.role = role
    this.authority =
      authorityKey === undefined
        ? undefined
        : new ClusterAuthority({ certificate: credentials.authority, privateKey: authorityKey })
    this.removals = new Removals({
      clusterId,
      authority: credentials.authority,
      known: removed,
      keep: (list) => folder.write(removalsFile, { clusterId, removed: list }),
    })
  }

  /**
   * Who the node of this folder is. A new folder becomes a node with a cluster of its own.
   * @throws StateError where the folder cannot be read or written, SecurityError where what is in it does not belong together.
   */
  static async open(folder: StateFolder, { name = hostname() }: IdentityOptions = {}): Promise<Identity> {
    const kept = await folder.read(identityFile, identitySchema)
    if (!kept) return Identity.#found(folder, freshNodeId(name))
    const removals = await folder.read(removalsFile, removalsSchema)
    const { clusterId } = memberOf(kept.credentials)
    const identity = new Identity(folder, kept, removals?.clusterId === clusterId ? removals.removed : [])
    if (identity.authority && !identity.isValid)
      await identity.renewOwn().catch((error) => {
        // The clock of the machine is before the cluster's beginning: it will be set, and then there is another attempt.
        if (!(error instanceof ValidityError)) throw error
      })
    return identity
  }

  /**
   * Certificate and key, to be used at this moment; the same object as long as this identity lasts.
   * @throws ValidityError where the certificate has ended, or not begun: `renewBy` gets another one.
   */
  get credentials(): RenewableCredentials {
    this.#credentials ??= new RenewableCredentials(this.#newest)
    return this.#credentials
  }

  /** Certificate and key, whether they are still valid or not. */
  get newest(): NodeCredentials {
    return this.#newest
  }

  /** Is the certificate valid at this moment, by the clock of this machine? */
  get isValid(): boolean {
    const { from, to } = validityOf(this.#newest)
    return from <= Date.now() && Date.now() <= to
  }

  /**
   * Uses another certificate from now on, and keeps it.
   * @throws SecurityError where it is of another node, role or cluster, ValidityError where it is not valid now, StateError.
   */
  async renewBy(next: NodeCredentials): Promise<void> {
    const { nodeId, clusterId, role } = memberOf(next)
    if (nodeId !== this.nodeId || clusterId !== this.clusterId || role !== this.role)
      throw new SecurityError(
        `${this.role} '${this.nodeId}' was given the certificate of ${role} '${nodeId}' of cluster ${clusterId}`,
      )
    verifyIdentity(next.certificate, next.authority)
    this.#credentials?.renew(next)
    this.#newest = next
    await keep(this.#folder, { credentials: next, authorityKey: this.authority?.export().privateKey })
  }

  /** Signs another certificate for itself. @throws SecurityError where this node is no manager, else as `renewBy`. */
  async renewOwn(): Promise<void> {
    await this.renewBy(await certified(this.#signing('renew its certificate itself'), this))
  }

  /**
   * Becomes a node of another cluster.
   * @throws SecurityError where the membership does not belong together, StateError where it cannot be kept: then all is as before.
   */
  async adopt(membership: Membership): Promise<Identity> {
    const next = new Identity(this.#folder, membership, [])
    await keep(this.#folder, membership)
    return next
  }

  /** Leaves the cluster for a new one of its own. @throws StateError where that cannot be kept: then all is as before. */
  async leave(): Promise<Identity> {
    return Identity.#found(this.#folder, this.nodeId)
  }

  /**
   * Puts a node out of the cluster, for good. A manager that is put out keeps what it knows: the key of the authority.
   * @throws SecurityError where this node may not do so, StateError.
   */
  async remove(nodeId: string): Promise<void> {
    const authority = this.#signing('remove nodes')
    if (nodeId === this.nodeId)
      throw new SecurityError(`'${nodeId}' cannot remove itself: it can leave the cluster`)
    await this.removals.merge([removalOf(nodeId, authority)])
  }

  #signing(what: string): ClusterAuthority {
    if (this.authority) return this.authority
    throw new SecurityError(`${this.role} '${this.nodeId}' may not ${what}: ask a manager`)
  }

  static async #found(folder: StateFolder, nodeId: string): Promise<Identity> {
    const authority = await ClusterAuthority.create()
    const membership = {
      credentials: await certified(authority, { nodeId, role: 'manager' }),
      authorityKey: authority.export().privateKey,
    }
    await keep(folder, membership)
    return new Identity(folder, membership, [])
  }
}

const keep = (folder: StateFolder, membership: Membership): Promise<void> =>
  folder.write(identityFile, { v: 1, ...membership })
