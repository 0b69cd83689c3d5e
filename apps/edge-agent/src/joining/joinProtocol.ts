// The door of a cluster, from inside: strangers with a right code become nodes, all others cost next to nothing and learn nothing.
import type { TLSSocket } from 'node:tls'
import {
  asError,
  type Clock,
  type OtherProtocol,
  pause,
  SecurityError,
  systemClock,
} from '@shoal/distributed/peers'
import type { Role } from '../api/node.ts'
import { Conversation } from '../identity/conversation.ts'
import type { Identity } from '../identity/identity.ts'
import { isSignedFor } from '../identity/nodeKey.ts'
import { JoinError } from './errors.ts'
import type { Applicant, Invitation, Invitations } from './invitations.ts'
import {
  applicationPurpose,
  applicationSchema,
  type KnownMember,
  maxMembersTold,
  proofSchema,
  protocolVersion,
} from './joinMessages.ts'
import { isProofOf, proofOf } from './secret.ts'
import { Strangers } from './strangers.ts'

/** Milliseconds that a stranger has. */
const talkMs = 10_000

/** What the door needs to know of the cluster. */
export interface DoorOptions {
  readonly identity: Identity
  readonly invitations: Invitations
  /** Is there a living node of the cluster that has this id? */
  readonly isTaken: (nodeId: string) => boolean
  /** Who is in the cluster besides, those first that are best to ask, this node included. */
  readonly members: () => readonly KnownMember[]
  /** Told of each node that was taken in, before that node knows; once more where it had to ask again. */
  readonly joined: (member: { readonly nodeId: string; readonly role: Role }) => void
  readonly log: (line: string) => void
  /** Default: the system's. */
  readonly clock?: Clock
  /** How many strangers are heard at a time. Default 16. */
  readonly most?: number
  /** Default: `protocolVersion`. */
  readonly version?: string
}

/** The protocol `shoal-join/1`, for a port of the cluster's managers. @throws SecurityError for a node that is no manager. */
export function joinProtocol(options: DoorOptions): OtherProtocol {
  const { identity, log, clock = systemClock, most = 16 } = options
  if (!identity.authority)
    throw new SecurityError(`${identity.role} '${identity.nodeId}' may not take nodes in: managers may`)
  const door = new Door(options, new Strangers({ clock, log, most }))
  return { strangers: true, accepted: (socket) => door.open(socket) }
}

class Door {
  readonly #options: DoorOptions
  readonly #strangers: Strangers
  readonly #clock: Clock
  readonly #version: string
  /** Ids of nodes that are being taken in at this moment. */
  readonly #entering = new Set<string>()

  constructor(options: DoorOptions, strangers: Strangers) {
    this.#options = options
    this.#strangers = strangers
    this.#clock = options.clock ?? systemClock
    this.#version = options.version ?? protocolVersion
  }

  open(socket: TLSSocket): void {
    const about = `joining of a stranger at ${socket.remoteAddress ?? 'an address that is gone'}`
    const talk = new Conversation(socket, { deadlineMs: talkMs, clock: this.#clock, about })
    this.#strangers.hear(socket)
    this.#hear(socket, talk).catch((thrown) => {
      if (!(thrown instanceof JoinError)) {
        this.#strangers.turnedAway(socket, asError(thrown).message)
        return talk.end()
      }
      const { reason, message } = thrown
      this.#strangers.turnedAway(socket, message)
      talk.sayLast({ kind: 'refused', reason, message })
    })
  }

  async #hear(socket: TLSSocket, talk: Conversation): Promise<void> {
    const { identity } = this.#options
    talk.say({ version: this.#version, authority: identity.newest.authority })
    const invitation = await this.#invited(socket, talk)
    this.#strangers.release(socket)
    talk.say({ kind: 'welcome', proof: proofOf(invitation.key, 'inviter', talk.binding) })
    const { nodeId, publicKey, signature } = await talk.hear(applicationSchema)
    if (!isSignedFor(applicationPurpose, talk.binding, publicKey, signature))
      throw new JoinError('request', `'${nodeId}' has not got the key that it wants a certificate for`)
    talk.sayLast(await this.#takeIn(invitation, { nodeId, publicKey }))
  }

  /** The invitation that a stranger has shown to know the secret of. */
  async #invited(socket: TLSSocket, talk: Conversation): Promise<Invitation> {
    const { invitations } = this.#options
    const said = await talk.hear(proofSchema)
    if (said.version !== this.#version)
      throw new JoinError('version', otherVersion(this.#version, said.version))
    const invitation = invitations.find(said.invitation)
    if (invitation && isProofOf(invitation.key, 'joiner', talk.binding, said.proof)) return invitation
    if (invitation) await invitations.countWrong(invitation)
    await pause(this.#strangers.wrong(socket), this.#clock, talk.signal)
    throw new JoinError(
      'unknown',
      'this node has given out no such code, or more than a day ago: join at the node that has, or ask for another one',
    )
  }

  async #takeIn(invitation: Invitation, applicant: Applicant): Promise<object> {
    const { identity, invitations, members, joined, log } = this.#options
    const { nodeId, publicKey } = applicant
    const { role } = invitation
    invitations.check(invitation, applicant)
    // Who uses it again was taken in before, and may be known by now.
    if (invitation.usedBy === undefined) this.#checkId(nodeId)
    const { authority } = identity
    if (!authority) throw new JoinError('request', `'${identity.nodeId}' is no manager any more`)
    this.#entering.add(nodeId)
    try {
      const certificate = await authority.sign({ node: nodeId, role, publicKey })
      await invitations.use(invitation, applicant)
      joined({ nodeId, role })
      log(`'${nodeId}' was taken in as ${role}`)
      const authorityKey = role === 'manager' ? authority.export().privateKey : undefined
      return { kind: 'accepted', certificate, authorityKey, members: members().slice(0, maxMembersTold) }
    } finally {
      this.#entering.delete(nodeId)
    }
  }

  #checkId(nodeId: string): void {
    const { identity, isTaken } = this.#options
    const another = 'join under another name: shoal join CODE --name NAME'
    if (identity.removals.has(nodeId))
      throw new JoinError('removed', `'${nodeId}' was removed from this cluster for good: ${another}`)
    if (nodeId === identity.nodeId || this.#entering.has(nodeId) || isTaken(nodeId))
      throw new JoinError('taken', `another node of this cluster is called '${nodeId}': ${another}`)
  }
}

/** What to say where two versions meet. */
export const otherVersion = (inviter: string, joiner: string): string =>
  `the cluster speaks version ${inviter} and this node version ${joiner}: run the same version of shoal on both`
