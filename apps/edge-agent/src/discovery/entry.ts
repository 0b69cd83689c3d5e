// What is known of one peer: who speaks of it, at which addresses, what came of trying them, and the connection if there is one.
import type { SeenPeer } from './browser.ts'
import type { Problem } from './problem.ts'
import { hostOf, inOrder, type Reached } from './race.ts'

/**
 * How far a peer has been got to: somebody said that it is there; a connection was made, but it proved nothing, or to be of another cluster; it
 * proved to be that node of this cluster and is connected now.
 */
export type PeerState = 'seen' | 'reachable' | 'trusted'

/** An address of a peer, and why it did not lead there when it was tried last. */
export interface TriedAddress {
  readonly address: string
  readonly problem: Problem | undefined
}

/** One peer, as plain data. */
export interface Sighting {
  /** Unknown for an address that was given and where nobody has answered yet. */
  readonly nodeId: string | undefined
  /** As it was said, until the peer is trusted; empty for none. */
  readonly clusterId: string
  readonly role: string
  /** The version of the protocol that it says it speaks; empty where nobody said. */
  readonly version: string
  readonly state: PeerState
  /** Where it was reached; undefined where it is only seen, or it was the one who connected. */
  readonly address: string | undefined
  readonly addresses: readonly TriedAddress[]
  /** Who speaks of it: 'mdns eth0', 'static', 'told by pi2'. */
  readonly sources: readonly string[]
  /** When it was last heard of or connected, in milliseconds of the clock. */
  readonly lastSeen: number
}

/** What one source says of a peer. */
export interface Source {
  readonly name: string
  readonly addresses: readonly string[]
  readonly role: string
  readonly version: string
  readonly lastSeen: number
  /** Who is to blame where it is not true. */
  readonly sender: string
}

/** How a peer is known: by its cluster and id, or where those are not known by the address that was given. */
export const keyOf = (clusterId: string, nodeId: string): string => `${clusterId}/${nodeId}`

/** The most addresses of one peer that are tried. */
const maxTried = 16

/** One peer, while it is known. */
export class Entry {
  readonly key: string
  readonly nodeId: string | undefined
  readonly clusterId: string
  /** By an identity of their own. */
  readonly sources = new Map<string, Source>()
  readonly problems = new Map<string, Problem>()
  connection: Reached | undefined
  state: PeerState = 'seen'
  /** Where it was reached, now or last. */
  address: string | undefined
  isTrying = false
  failures = 0
  nextAt: number
  triedAt = -Infinity
  #role = ''
  #lastSeen: number

  constructor(key: string, nodeId: string | undefined, clusterId: string, now: number) {
    this.key = key
    this.nodeId = nodeId
    this.clusterId = clusterId
    this.nextAt = now
    this.#lastSeen = now
  }

  /** Where it may be, best first. Senders come in turns, so that one that lies about a peer cannot crowd out the true addresses. */
  get addresses(): readonly string[] {
    const bySender = Map.groupBy(this.sources.values(), ({ sender }) => sender)
    const said = [...bySender.values()].map((sources) => sources.flatMap(({ addresses }) => addresses))
    const turns = Array.from({ length: Math.max(0, ...said.map(({ length }) => length)) }, (_, turn) =>
      said.flatMap((addresses) => addresses[turn] ?? []),
    )
    const all = new Set(turns.flat())
    const before = this.address !== undefined && all.has(this.address) ? [this.address] : []
    return inOrder([...new Set([...before, ...all])].slice(0, maxTried), this.address)
  }

  get lastSeen(): number {
    return Math.max(this.#lastSeen, ...[...this.sources.values()].map(({ lastSeen }) => lastSeen))
  }

  /** Keeps what a source says now. Answers whether that is an address that nobody said before. */
  hear(id: string, source: Source): boolean {
    const before = new Set(this.addresses)
    this.sources.set(id, source)
    return source.addresses.some((address) => !before.has(address))
  }

  /** Keeps that it was connected until now, and in which role. */
  met(role: string, now: number): void {
    this.#role = role
    this.#lastSeen = Math.max(this.#lastSeen, now)
  }

  /** The peer as plain data. */
  get sighting(): Sighting {
    const said = [...this.sources.values()].at(-1)
    return {
      nodeId: this.nodeId,
      clusterId: this.clusterId,
      role: this.#role || (said?.role ?? ''),
      version: said?.version ?? '',
      state: this.state,
      address: this.state === 'seen' ? undefined : this.address,
      addresses: this.addresses.map((address) => ({ address, problem: this.problems.get(address) })),
      sources: [...new Set([...this.sources.values()].map(({ name }) => name))],
      lastSeen: this.lastSeen,
    }
  }
}

/** What multicast says of a peer, as a source. */
export const sourceOf = (peer: SeenPeer): Source => ({
  name: `mdns ${peer.interface}`,
  addresses: peer.addresses.map((host) => `${host.includes(':') ? `[${host}]` : host}:${peer.port}`),
  role: peer.role,
  version: peer.version,
  lastSeen: peer.lastSeen,
  sender: peer.sender,
})

/** An address that a person or a peer gave: `host:port`. */
export const isAddress = (address: string): boolean => {
  const port = Number(address.slice(address.lastIndexOf(':') + 1))
  return (
    address.length < 300 &&
    /^[\w.:%[\]-]+:\d{1,5}$/.test(address) &&
    hostOf(address) !== '' &&
    port > 0 &&
    port < 65536
  )
}
