// How nodes come into the cluster of this one, and how this one goes into another.
import type { OtherProtocol } from '@shoal/distributed/peers'
import { SecurityError } from '@shoal/distributed/peers'
import { z } from 'zod'
import type { Role } from '../api/node.ts'
import type { Identity } from '../identity/identity.ts'
import { freshNodeId } from '../identity/nodeId.ts'
import type { StateFolder } from '../identity/stateFolder.ts'
import { formatCode, parseCode } from '../joining/code.ts'
import { Invitations } from '../joining/invitations.ts'
import { joinCluster } from '../joining/joinCluster.ts'
import { joinProtocolName } from '../joining/joinMessages.ts'
import { joinProtocol } from '../joining/joinProtocol.ts'
import type { Neighbours } from './neighbours.ts'

/** What the door belongs to. */
export interface DoorMeans {
  readonly state: StateFolder
  readonly identity: Identity
  readonly neighbours: () => Neighbours
  readonly log: (line: string) => void
}

const membersFile = 'members.json'
const membersSchema = z.object({ clusterId: z.string(), addresses: z.array(z.string()).max(256) })
const mostAddresses = 64

/** How to join. */
export interface JoinRequest {
  /** Where a node of the cluster is: `host:port`. Default: where the code and multicast say. */
  readonly address?: string | undefined
  /** What the node is called from then on. Default: its id stays. */
  readonly name?: string | undefined
  readonly signal: AbortSignal
}

/** Invitations and joining. */
export class Door {
  /** For the port of this node. */
  readonly protocols: Readonly<Record<string, OtherProtocol>>
  readonly #means: DoorMeans
  readonly #invitations: Invitations

  private constructor(means: DoorMeans, invitations: Invitations) {
    const { identity, neighbours, log } = means
    this.#means = means
    this.#invitations = invitations
    const door = (): OtherProtocol =>
      joinProtocol({
        identity,
        invitations,
        isTaken: (nodeId) => neighbours().isThere(nodeId),
        members: () => neighbours().members,
        joined: () => {},
        log,
      })
    this.protocols = identity.authority ? { [joinProtocolName]: door() } : {}
  }

  /** @throws StateError. */
  static async open(means: DoorMeans): Promise<Door> {
    return new Door(means, await Invitations.open(means.state, means.identity.clusterId))
  }

  /** Makes a code. @throws SecurityError where this node may not, LimitError where too many are open, StateError. */
  async invite(role: Role, minutes: number): Promise<{ readonly code: string; readonly expiresAt: number }> {
    const { identity, neighbours } = this.#means
    if (!identity.authority)
      throw new SecurityError(`${identity.role} '${identity.nodeId}' may not invite: ask on a manager`)
    const { secret, expiresAt } = await this.#invitations.create({ role, forMs: minutes * 60_000 })
    const { addresses } = neighbours()
    return { code: formatCode({ role, clusterId: identity.clusterId, secret, addresses }), expiresAt }
  }

  /** Joins the cluster of a code; the node is that of the answer from then on. @throws as `joinCluster`, and SecurityError where it is in that cluster. */
  async join(code: string, { address, name, signal }: JoinRequest): Promise<Identity> {
    const { identity, neighbours, state } = this.#means
    const nodeId = name === undefined ? identity.nodeId : freshNodeId(name)
    const { clusterId } = parseCode(code)
    if (clusterId === identity.clusterId)
      throw new SecurityError(`'${identity.nodeId}' is of this cluster already, as ${identity.role}`)
    const addresses = address === undefined ? neighbours().addressesOf(clusterId) : [address]
    const { members, ...membership } = await joinCluster(code, { nodeId, addresses, signal })
    await rememberMembers(
      state,
      clusterId,
      members.flatMap((member) => member.addresses),
    )
    return identity.adopt(membership)
  }
}

/** Writes down where the nodes of the cluster are, for the next start. */
export const rememberMembers = (
  state: StateFolder,
  clusterId: string,
  addresses: readonly string[],
): Promise<void> => state.write(membersFile, { clusterId, addresses: addresses.slice(0, mostAddresses) })

/** Where the nodes of the cluster were, when that was written down. */
export async function rememberedMembers(state: StateFolder, clusterId: string): Promise<readonly string[]> {
  const kept = await state.read(membersFile, membersSchema)
  return kept?.clusterId === clusterId ? kept.addresses : []
}
