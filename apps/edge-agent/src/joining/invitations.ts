// The invitations that a node has given out: each is good for one node, for some minutes, and kept so that a new start neither forgets one nor honours it twice.
import { createHash, randomBytes } from 'node:crypto'
import { LimitError } from '@shoal/distributed/peers'
import { z } from 'zod'
import { type Role, roleSchema } from '../api/node.ts'
import type { StateFolder } from '../identity/stateFolder.ts'
import { secretBytes } from './code.ts'
import { JoinError } from './errors.ts'
import { secretsOf } from './secret.ts'

const file = 'invitations.json'

/** The most that may be open at a time. */
const maxOpen = 256
/** Milliseconds for which one that has expired is remembered, so that its code can be told from a wrong one. */
const rememberedMs = 86_400_000
/** Wrong proofs after which an invitation is void. Who gives one knows the invitation's name and not its secret: nobody does who was given the code. */
const maxWrong = 10

const invitationSchema = z.object({
  id: z.string(),
  key: z.string(),
  role: roleSchema,
  /** Milliseconds since 1970. */
  expiresAt: z.number(),
  wrong: z.int(),
  /** The SHA-256 of the key of the node that was taken in by it, with that node's id. */
  usedBy: z.string().optional(),
})
const fileSchema = z.object({ clusterId: z.string(), invitations: z.array(invitationSchema) })

/** An invitation, as it is kept: the secret is not. */
export type Invitation = Readonly<z.infer<typeof invitationSchema>>

/** A node that comes with an invitation. */
export interface Applicant {
  readonly nodeId: string
  /** PEM. */
  readonly publicKey: string
}

/** All invitations of one node. */
export class Invitations {
  readonly #folder: StateFolder
  readonly #clusterId: string
  readonly #byId: Map<string, z.infer<typeof invitationSchema>>
  #kept: Promise<void> = Promise.resolve()

  private constructor(folder: StateFolder, clusterId: string, known: z.infer<typeof invitationSchema>[]) {
    this.#folder = folder
    this.#clusterId = clusterId
    this.#byId = new Map(known.map((invitation) => [invitation.id, invitation]))
  }

  /** Those that were given out into this cluster before. @throws StateError. */
  static async open(folder: StateFolder, clusterId: string): Promise<Invitations> {
    const kept = await folder.read(file, fileSchema)
    return new Invitations(folder, clusterId, kept?.clusterId === clusterId ? kept.invitations : [])
  }

  /**
   * Another one. It counts once it is kept.
   * @param how.forMs milliseconds; default ten minutes.
   * @returns what goes into the code.
   * @throws LimitError where too many are open, StateError.
   */
  async create({ role, forMs = 600_000 }: { readonly role: Role; readonly forMs?: number }): Promise<{
    readonly secret: Uint8Array
    readonly expiresAt: number
  }> {
    this.#forgetOld()
    const open = [...this.#byId.values()].filter(({ expiresAt, usedBy }) => !usedBy && expiresAt > Date.now())
    if (open.length >= maxOpen)
      throw new LimitError(`${open.length} invitations are open: wait until some are used or expire`)
    const secret = randomBytes(secretBytes)
    const expiresAt = Date.now() + forMs
    const secrets = secretsOf(secret, this.#clusterId)
    this.#byId.set(secrets.id, { ...secrets, role, expiresAt, wrong: 0 })
    await this.#keep()
    return { secret, expiresAt }
  }

  /** The invitation of that name, be it still good or not. */
  find(id: string): Invitation | undefined {
    return this.#byId.get(id)
  }

  /** Counts a wrong proof. @throws StateError. */
  async countWrong({ id }: Invitation): Promise<void> {
    const invitation = this.#byId.get(id)
    if (!invitation || invitation.wrong >= maxWrong) return
    invitation.wrong++
    await this.#keep()
  }

  /** Makes sure that an invitation is good for this applicant. @throws JoinError saying why it is not. */
  check(invitation: Invitation, applicant: Applicant): void {
    const { usedBy, wrong, expiresAt } = invitation
    if (usedBy !== undefined && usedBy !== nameOf(applicant))
      throw new JoinError('used', `the code has been used: each is good for one node. ${askForAnother}`)
    if (wrong >= maxWrong)
      throw new JoinError('void', `the code is void, for somebody tried to guess it. ${askForAnother}`)
    if (expiresAt <= Date.now())
      throw new JoinError(
        'expired',
        `the code was good until ${new Date(expiresAt).toISOString()}. ${askForAnother}`,
      )
  }

  /**
   * Uses an invitation up: from this call on, not only from when it is kept, it is good for nobody else. The same node with the same key may use it
   * again, for its connection may have broken before it had the answer.
   * @throws JoinError where it is not good, StateError where that cannot be kept: then it is as before.
   */
  async use({ id }: Invitation, applicant: Applicant): Promise<void> {
    const invitation = this.#byId.get(id)
    if (!invitation) throw new JoinError('unknown', `the code is of no use here. ${askForAnother}`)
    this.check(invitation, applicant)
    const { usedBy } = invitation
    invitation.usedBy = nameOf(applicant)
    try {
      await this.#keep()
    } catch (error) {
      if (usedBy === undefined) delete invitation.usedBy
      throw error
    }
  }

  #forgetOld(): void {
    const now = Date.now()
    for (const { id, expiresAt } of this.#byId.values())
      if (expiresAt + rememberedMs < now) this.#byId.delete(id)
  }

  #keep(): Promise<void> {
    const written = (): Promise<void> =>
      this.#folder.write(file, { clusterId: this.#clusterId, invitations: [...this.#byId.values()] })
    this.#kept = this.#kept.then(written, written)
    return this.#kept
  }
}

const askForAnother = 'Ask for another one: shoal invite'

const nameOf = ({ nodeId, publicKey }: Applicant): string =>
  `${nodeId} ${createHash('sha256').update(publicKey).digest('hex')}`
