// Everybody this node has heard of, from wherever, as one list: seen, reachable, or trusted because it proved to be of this cluster.
import { ValueError } from '@shoal/core'
import { type Clock, systemClock } from '@shoal/distributed/peers'
import { Allowance } from './allowance.ts'
import { Attempts, isMember } from './attempts.ts'
import type { SeenPeer } from './browser.ts'
import { Entry, isAddress, keyOf, type Sighting, type Source, sourceOf } from './entry.ts'
import type { Reach, Reached } from './race.ts'

/** A peer as another one knows it. */
export interface ToldPeer {
  readonly nodeId: string
  readonly role: string
  /** `host:port`. */
  readonly addresses: readonly string[]
}

/** What happened to the list. */
export type SightingEvent =
  | { readonly kind: 'appeared' | 'changed' | 'gone'; readonly peer: Sighting }
  /** A peer proved who it is: the connection is now the listener's to use, and to close. */
  | { readonly kind: 'connected'; readonly peer: Sighting; readonly connection: Reached }
  /** Another node says that it is this one; told at most once a minute. */
  | { readonly kind: 'namesake'; readonly seen: SeenPeer }

/** How to look for peers. */
export interface SightingsOptions {
  /** This node. Without a cluster nobody can be trusted. */
  readonly self: { readonly nodeId: string; readonly clusterId: string }
  /** Connects to an address. Under mutual TLS the connection's `peer` says who is there; one without a cluster is only reachable. */
  readonly reach: Reach
  /** Addresses that are known beforehand, `host:port`. Default none. */
  readonly known?: readonly string[]
  /** The most peers that are remembered, besides those known beforehand. Default 256. */
  readonly maxPeers?: number
  /** The most connections that are being made at once. Default 8. */
  readonly maxAttempts?: number
  /** How long the next address of a peer waits for the one before it. Default 250, as RFC 8305 has it. */
  readonly staggerMs?: number
  /** How long one attempt may take. Default 4000. */
  readonly deadlineMs?: number
  /** The pause after the first attempt that failed; it doubles with each. Default 1000. */
  readonly firstPauseMs?: number
  /** The longest pause. Default 60,000. */
  readonly longestPauseMs?: number
  /** Default: the system's. */
  readonly clock?: Clock
  /** Evenly from 0 to below 1, so that not all try at once. Default `Math.random`. */
  readonly uniform?: () => number
}

/** The most that one peer may tell of. */
const maxTold = 64
const maxToldAddresses = 8

const defaults = {
  known: [] as readonly string[],
  maxPeers: 256,
  maxAttempts: 8,
  staggerMs: 250,
  deadlineMs: 4000,
  firstPauseMs: 1000,
  longestPauseMs: 60_000,
  clock: systemClock as Clock,
  uniform: Math.random as () => number,
}

/**
 * Merges what multicast, a list, and peers say, and tries to reach whoever is not connected. What strangers say costs no more than so many
 * attempts at once, of which those go first whose sender was wrong least often.
 */
export class Sightings implements AsyncDisposable {
  readonly #options: typeof defaults & SightingsOptions
  readonly #entries = new Map<string, Entry>()
  readonly #listeners = new Set<(event: SightingEvent) => void>()
  readonly #published = new Map<string, string>()
  readonly #namesakes: Allowance
  readonly #attempts: Attempts

  /** @throws ValueError for a known address that is none. */
  constructor(options: SightingsOptions) {
    this.#options = { ...defaults, ...options }
    this.#attempts = new Attempts({
      ...this.#options,
      entries: () => this.#entries.values(),
      reached: (entry, connection, address) => this.#welcome(entry, connection, address),
      moved: (entry, address) => this.#doubt(entry, address),
      tried: (entry) => this.#settle(entry),
    })
    this.#namesakes = new Allowance(this.#options.clock, 1 / 60, 1)
    for (const address of this.#options.known) {
      if (!isAddress(address))
        throw new ValueError(`'${address}' is no address of a peer: write host:port or [v6]:port`)
      this.#hearKnown(address)
    }
    this.#attempts.schedule()
  }

  /** Everybody, in the order in which they were first heard of. */
  get peers(): readonly Sighting[] {
    return [...this.#entries.values()].map(({ sighting }) => sighting)
  }

  /** Has this node of this cluster proved who it is, and is it connected now? */
  isTrusted(nodeId: string): boolean {
    return this.#entries.get(keyOf(this.#options.self.clusterId, nodeId))?.state === 'trusted'
  }

  /** Calls the listener with all that happens from now on. The answer ends that. */
  subscribe(listener: (event: SightingEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Takes all that multicast sees now, in place of what it saw before. */
  observe(seen: readonly SeenPeer[]): void {
    const { self } = this.#options
    const now = new Set<string>()
    for (const peer of seen) {
      const id = `mdns ${peer.interface} ${peer.host}`
      const key = keyOf(peer.clusterId, peer.nodeId)
      if (key === keyOf(self.clusterId, self.nodeId)) {
        if (this.#namesakes.take()) this.#emit({ kind: 'namesake', seen: peer })
        continue
      }
      now.add(`${key} ${id}`)
      this.#hear(key, peer.nodeId, peer.clusterId, id, sourceOf(peer))
    }
    this.#silence((entry, id) => id.startsWith('mdns ') && !now.has(`${entry.key} ${id}`))
    this.#attempts.schedule()
  }

  /** Takes all that a trusted peer knows of this cluster, in place of what it told before. What others tell is not heard. */
  tell(teller: string, peers: readonly ToldPeer[]): void {
    if (!this.isTrusted(teller)) return
    const { self, clock } = this.#options
    const id = `told ${teller}`
    const named = new Set<string>()
    for (const { nodeId, role, addresses } of peers.slice(0, maxTold)) {
      const usable = addresses.filter(isAddress).slice(0, maxToldAddresses)
      if (nodeId === self.nodeId || usable.length === 0) continue
      const key = keyOf(self.clusterId, nodeId)
      const source = { name: `told by ${teller}`, addresses: usable, role, version: '', sender: teller }
      this.#hear(key, nodeId, self.clusterId, id, { ...source, lastSeen: clock.now() })
      named.add(key)
    }
    this.#silence((entry, source) => source === id && !named.has(entry.key))
    this.#attempts.schedule()
  }

  /** Takes a connection that a peer has made to this node. One from outside the cluster is nothing to it. */
  accept(connection: Reached): void {
    const { peer } = connection
    if (!isMember(peer, this.#options.self) || peer.node === this.#options.self.nodeId) return
    const key = keyOf(peer.cluster, peer.node)
    const entry = this.#entries.get(key) ?? this.#add(key, peer.node, peer.cluster)
    if (!entry.connection) this.#connect(entry, connection, undefined)
    this.#publish(entry)
  }

  /** Tries everybody who is not connected again, now: a network came back. */
  retry(): void {
    for (const entry of this.#entries.values()) {
      entry.failures = 0
      entry.nextAt = this.#options.clock.now()
    }
    this.#attempts.schedule()
  }

  /** Withdraws all attempts and forgets everybody. Connections that were handed on stay open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#attempts.close()
    this.#listeners.clear()
    this.#entries.clear()
  }

  /** Takes an address that was given: whose it is, is not known yet. */
  #hearKnown(address: string): void {
    const source = { name: 'static', addresses: [address], role: '', version: '', sender: 'static' }
    const id = `static ${address}`
    this.#hear(address, undefined, '', id, { ...source, lastSeen: this.#options.clock.now() })
  }

  #hear(key: string, nodeId: string | undefined, clusterId: string, id: string, source: Source): void {
    const { clock, firstPauseMs } = this.#options
    const entry = this.#entries.get(key) ?? this.#add(key, nodeId, clusterId)
    if (entry.hear(id, source))
      entry.nextAt = Math.min(entry.nextAt, Math.max(clock.now(), entry.triedAt + firstPauseMs))
    this.#publish(entry)
  }

  #add(key: string, nodeId: string | undefined, clusterId: string): Entry {
    const { clock, maxPeers } = this.#options
    const entry = new Entry(key, nodeId, clusterId, clock.now())
    const strangers = [...this.#entries.values()].filter(
      ({ state, sources }) =>
        state !== 'trusted' && ![...sources.values()].some(({ name }) => name === 'static'),
    )
    if (this.#entries.size - this.#options.known.length >= maxPeers && strangers[0])
      this.#remove(strangers.reduce((a, b) => (b.lastSeen < a.lastSeen ? b : a)))
    this.#entries.set(key, entry)
    return entry
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.key)
    this.#published.delete(entry.key)
    this.#emit({ kind: 'gone', peer: entry.sighting })
  }

  /** Ends what some sources say; whom nobody speaks of any more is gone, unless it is connected. */
  #silence(which: (entry: Entry, id: string) => boolean): void {
    for (const entry of this.#entries.values()) {
      const gone = [...entry.sources.keys()].filter((id) => which(entry, id))
      for (const id of gone) entry.sources.delete(id)
      if (gone.length > 0) this.#settle(entry)
    }
  }

  #settle(entry: Entry): void {
    if (this.#entries.get(entry.key) !== entry) return
    if (entry.sources.size === 0 && !entry.connection) this.#remove(entry)
    else this.#publish(entry)
  }

  /** Another node has moved in at an address that was given: whose it is, is not known any more. */
  #doubt(entry: Entry, address: string): void {
    if (entry.sources.delete(`static ${address}`)) this.#hearKnown(address)
  }

  /** A peer was reached: an address that was known beforehand has a name from now on. */
  #welcome(entry: Entry, connection: Reached, address: string): void {
    const { cluster, node } = connection.peer
    const key = keyOf(cluster, node)
    let named = entry
    if (entry.nodeId === undefined) {
      this.#remove(entry)
      named = this.#entries.get(key) ?? this.#add(key, node, cluster)
      for (const [id, source] of entry.sources) named.hear(id, source)
    }
    // It may have connected here meanwhile.
    if (named.connection) void connection.close()
    else this.#connect(named, connection, address)
    this.#publish(named)
  }

  #connect(entry: Entry, connection: Reached, address: string | undefined): void {
    const { clock, firstPauseMs, uniform } = this.#options
    entry.connection = connection
    entry.state = 'trusted'
    entry.address = address
    entry.failures = 0
    entry.met(connection.peer.role, clock.now())
    this.#emit({ kind: 'connected', peer: entry.sighting, connection })
    void connection.closed.then((error) => {
      if (entry.connection !== connection) return
      entry.connection = undefined
      entry.state = 'seen'
      entry.met(connection.peer.role, clock.now())
      entry.nextAt = clock.now() + firstPauseMs * uniform()
      if (address !== undefined)
        entry.problems.set(address, {
          kind: 'lost',
          message: `lost: ${error?.message ?? 'the peer ended the connection'}`,
        })
      this.#settle(entry)
      this.#attempts.schedule()
    })
  }

  #publish(entry: Entry): void {
    const { sighting } = entry
    const said = JSON.stringify({ ...sighting, lastSeen: 0 })
    const before = this.#published.get(entry.key)
    if (said === before) return
    this.#published.set(entry.key, said)
    this.#emit({ kind: before === undefined ? 'appeared' : 'changed', peer: sighting })
  }

  #emit(event: SightingEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
