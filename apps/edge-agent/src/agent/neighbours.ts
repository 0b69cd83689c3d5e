// The other nodes as the agent works with them: found, connected, and telling each other what is new.
import {
  callMethod,
  type Clock,
  type Connection,
  type Credentials,
  type Handler,
  type Listener,
  type OtherProtocol,
  type PeerIdentity,
  ProtocolError,
  serving,
  SocketTransport,
  systemClock,
} from '@shoal/distributed/peers'
import { z } from 'zod'
import { type NodeView, type Role, roleSchema } from '../api/node.ts'
import { Mdns, type Sighting, Sightings } from '../discovery/index.ts'
import type { Inventory } from '../machine/inventory.ts'
import { type News, newsSchema, protocolVersion, tell } from './news.ts'

/** A node of this cluster that is connected and has told its news. */
export interface Neighbour {
  readonly nodeId: string
  readonly role: string
  readonly connection: Connection
  readonly news: News
}

/** What has happened among the neighbours. */
export type NeighbourEvent =
  | { readonly kind: 'came' | 'told'; readonly neighbour: Neighbour }
  | { readonly kind: 'left'; readonly nodeId: string }

/** How to be among others. */
export interface NeighboursOptions {
  readonly self: { readonly nodeId: string; readonly clusterId: string; readonly role: Role }
  readonly credentials: Credentials
  /** Where to listen: `host:port`, port 0 for any. */
  readonly address: string
  /** Addresses of peers, for networks without multicast. */
  readonly peers: readonly string[]
  /** Where nodes of the cluster were before; tried, and not spoken of where nobody is there. Default none. */
  readonly remembered?: readonly string[]
  /** Whether to look for others by multicast, and be found. */
  readonly multicast: boolean
  /** Throws for those who were removed. */
  readonly admit: (peer: PeerIdentity) => void
  readonly protocols: Readonly<Record<string, OtherProtocol>>
  /** What this node serves to its neighbours and to the command. */
  readonly methods: (peer: PeerIdentity) => Readonly<Record<string, Handler>>
  /** What this node tells the others now. */
  readonly news: () => Omit<News, 'protocol' | 'addresses' | 'members'>
  readonly log: (line: string) => void
  readonly clock?: Clock
}

/** Changes that come together are told together, so many milliseconds after the first. */
const togetherMs = 100
const tellDeadlineMs = 5000

/** The larger of them is a study with all its trials. */
const frames = { headBytes: 2 ** 24, messageBytes: 2 ** 26, servedBytes: 2 ** 27 }

interface Known {
  readonly connection: Connection
  news: News | undefined
  toldAt: number
}

/** Finds the nodes of the cluster, and is connected with each. */
export class Neighbours implements AsyncDisposable {
  readonly #options: NeighboursOptions
  readonly #clock: Clock
  readonly #transport: SocketTransport
  readonly #sightings: Sightings
  readonly #known = new Map<string, Known>()
  /** Of those who left: what they were, until they are removed. */
  readonly #gone = new Map<string, { readonly role: string; readonly news: News | undefined }>()
  /** Told before this side knew which connection is the one. */
  readonly #early = new Map<string, News>()
  readonly #incompatible = new Map<string, string>()
  readonly #listeners = new Set<(event: NeighbourEvent) => void>()
  readonly #connections = new Set<Connection>()
  /** Of connections that are closed. */
  readonly #traffic = { sent: 0, received: 0 }
  #listener: Listener | undefined
  #mdns: Mdns | undefined
  #disarm: (() => void) | undefined
  #closed = false

  private constructor(options: NeighboursOptions) {
    const { credentials, admit, protocols, peers, remembered = [], self, log } = options
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#transport = new SocketTransport({ credentials, admit, protocols, frames, log })
    this.#sightings = new Sightings({
      self,
      known: [...new Set([...peers, ...remembered])],
      clock: this.#clock,
      reach: async (address, how) => {
        const connection = await this.#transport.connect(address, how)
        this.#serve(connection)
        return connection
      },
    })
    this.#sightings.subscribe((event) => {
      // What `reach` and `accept` hand over are connections.
      if (event.kind === 'connected') this.#welcome(event.connection as Connection)
      else if (event.kind === 'namesake')
        log(
          `another node on this network, at ${event.seen.addresses.join(', ')}, says that it is '${event.seen.nodeId}' too: one of them was copied; remove its state folder`,
        )
    })
  }

  /** Listens, looks for others, and is found. @throws ConnectError where it cannot listen. */
  static async open(options: NeighboursOptions): Promise<Neighbours> {
    const neighbours = new Neighbours(options)
    try {
      await neighbours.#listen()
    } catch (error) {
      await neighbours[Symbol.asyncDispose]()
      throw error
    }
    return neighbours
  }

  /** Where this node listens. */
  get address(): string {
    return this.#listener!.address
  }

  /** The port that it listens at. */
  get port(): number {
    return Number(this.address.slice(this.address.lastIndexOf(':') + 1))
  }

  /** What keeps discovery from working, in words. */
  get discoveryFaults(): readonly string[] {
    return this.#mdns?.faults ?? []
  }

  /** The addresses by which others may reach this node: those of the links that are up. */
  get addresses(): readonly string[] {
    const host = this.address.slice(0, this.address.lastIndexOf(':'))
    if (host !== '0.0.0.0' && host !== '[::]') return [this.address]
    const links = this.#mdns?.links ?? []
    return links
      .flatMap(({ addresses }) => addresses.map(({ address }) => address))
      .filter((address) => !address.startsWith('fe80'))
      .map((address) => (address.includes(':') ? `[${address}]:${this.port}` : `${address}:${this.port}`))
      .slice(0, 16)
  }

  /** Bytes to other nodes and from them since this node began to listen, all but streams between tasks. */
  get traffic(): { readonly sent: number; readonly received: number } {
    const total = { ...this.#traffic }
    for (const connection of this.#connections) this.#count(connection, total)
    return total
  }

  /** Those who are connected and have told what they have. */
  get present(): readonly Neighbour[] {
    return [...this.#known].flatMap(([nodeId, { connection, news }]) =>
      news ? [{ nodeId, role: connection.peer.role, connection, news }] : [],
    )
  }

  /** The neighbour of this id, while it is connected. */
  get(nodeId: string): Neighbour | undefined {
    const known = this.#known.get(nodeId)
    return (
      known?.news && {
        nodeId,
        role: known.connection.peer.role,
        connection: known.connection,
        news: known.news,
      }
    )
  }

  /** Where a neighbour may be listening, the likeliest first: where it was reached, what it told of itself, what multicast says of its machine. */
  addressesTo(nodeId: string): readonly string[] {
    const { clusterId } = this.#options.self
    const seen = this.#sightings.peers.find((peer) => peer.nodeId === nodeId && peer.clusterId === clusterId)
    const told = this.#known.get(nodeId)?.news?.addresses ?? []
    const said = seen?.addresses.map(({ address }) => address) ?? []
    return [...new Set([...(seen?.address === undefined ? [] : [seen.address]), ...told, ...said])]
  }

  /** Where nodes of some cluster say that they are. */
  addressesOf(clusterId: string): readonly string[] {
    return this.#sightings.peers
      .filter((peer) => peer.clusterId === clusterId)
      .flatMap(({ addresses }) => addresses.map(({ address }) => address))
  }

  /** Is there a node of this cluster with this id, connected or this one itself? */
  isThere(nodeId: string): boolean {
    return nodeId === this.#options.self.nodeId || this.#known.has(nodeId)
  }

  /** Who is in the cluster and connected, and where; this node first. */
  get members(): News['members'] {
    const { nodeId, role } = this.#options.self
    return [
      { nodeId, role, addresses: [...this.addresses] },
      ...this.present.map((each) => ({
        nodeId: each.nodeId,
        role: roleSchema.parse(each.role),
        addresses: [...each.news.addresses],
      })),
    ]
  }

  /** Calls the listener with all that happens from now on. The answer ends that. */
  subscribe(listener: (event: NeighbourEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Something that `news` answers has changed: all are told soon. */
  changed(): void {
    if (this.#closed) return
    this.#disarm ??= this.#clock.after(togetherMs, () => {
      this.#disarm = undefined
      for (const [nodeId, { connection }] of this.#known) this.#tell(nodeId, connection)
    })
  }

  /** Ends the connections of a node that was removed. */
  async expel(nodeId: string): Promise<void> {
    this.#gone.delete(nodeId)
    const own = [...this.#connections].filter(({ peer }) => peer.node === nodeId)
    await Promise.all(
      own.map((connection) => connection.close(new Error('this node was removed from the cluster'))),
    )
  }

  /** Tries everybody who is not connected again, now. */
  retry(): void {
    this.#sightings.retry()
  }

  /** All nodes that this one knows of, as people are shown them. */
  views(own: { readonly version: string; readonly inventory: Inventory }): readonly NodeView[] {
    const { self } = this.#options
    const { peers } = this.#options
    const isAsked = (sighting: Sighting): boolean =>
      sighting.nodeId !== undefined || sighting.addresses.some(({ address }) => peers.includes(address))
    const seen = this.#sightings.peers.filter(isAsked)
    const listed = new Set(seen.map(({ nodeId }) => nodeId))
    const lost = [...this.#gone].filter(([nodeId]) => !listed.has(nodeId))
    return [
      { ...self, state: 'self', addresses: [...this.addresses], problem: '', ...own, ageMs: 0 },
      ...seen.map((sighting) => this.#view(sighting)),
      ...lost.map(([nodeId, { role, news }]): NodeView => {
        const wrong = this.#incompatible.get(nodeId)
        return {
          nodeId,
          clusterId: self.clusterId,
          role,
          state: wrong === undefined ? 'lost' : 'reachable',
          addresses: news?.addresses ?? [],
          problem: wrong ?? 'it was of this cluster, and nothing is heard of it now',
          version: news?.version ?? '',
        }
      }),
    ]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#disarm?.()
    await this.#mdns?.[Symbol.asyncDispose]()
    await this.#sightings[Symbol.asyncDispose]()
    await this.#listener?.close()
    await Promise.all([...this.#connections].map((connection) => connection.close()))
  }

  async #listen(): Promise<void> {
    const { address, log, self, multicast } = this.#options
    let last = ''
    this.#listener = await this.#transport.listen(address, {
      connected: (connection) => {
        this.#serve(connection)
        this.#sightings.accept(connection)
      },
      refused({ message }) {
        // Whoever is refused tries again and again.
        if (message !== last) log(`refused a connection: ${message}`)
        last = message
      },
    })
    if (!multicast) return
    const said = { ...self, version: String(protocolVersion), port: this.port }
    this.#mdns = new Mdns(said, {
      changed: () => this.#sightings.observe(this.#mdns?.peers ?? []),
      log,
      isVerified: (nodeId) => this.#sightings.isTrusted(nodeId),
      clock: this.#clock,
    })
  }

  #serve(connection: Connection): void {
    const { peer } = connection
    this.#connections.add(connection)
    void connection.closed.then(() => {
      this.#connections.delete(connection)
      this.#count(connection, this.#traffic)
    })
    const hear = serving(tell, ({ says }, { peer: { node } }) => {
      this.#hear(node, connection, says)
      return { says: {}, tensors: [] }
    })
    connection.serve({ ...this.#options.methods(peer), ...Object.fromEntries([hear]) })
  }

  /** The command that speaks to this node shows the node's own certificate: it is no other node. */
  #count(connection: Connection, total: { sent: number; received: number }): void {
    if (connection.peer.node === this.#options.self.nodeId) return
    const { sent, received } = connection.traffic()
    total.sent += sent
    total.received += received
  }

  #welcome(connection: Connection): void {
    const nodeId = connection.peer.node
    this.#known.set(nodeId, { connection, news: undefined, toldAt: this.#clock.now() })
    this.#tell(nodeId, connection)
    const early = this.#early.get(nodeId)
    if (early) this.#take(nodeId, early)
    void connection.closed.then(() => {
      const known = this.#known.get(nodeId)
      if (known?.connection !== connection) return
      this.#known.delete(nodeId)
      this.#early.delete(nodeId)
      this.#gone.set(nodeId, { role: connection.peer.role, news: known.news })
      if (known.news) this.#emit({ kind: 'left', nodeId })
      this.changed()
    })
  }

  #tell(nodeId: string, connection: Connection): void {
    const { self } = this.#options
    const members = this.members.filter((other) => other.nodeId !== nodeId && other.nodeId !== self.nodeId)
    const news: News = {
      ...this.#options.news(),
      protocol: protocolVersion,
      addresses: [...this.addresses],
      members,
    }
    callMethod(connection, tell, news, { deadlineMs: tellDeadlineMs }).catch((error: Error) => {
      // One that has ended is noticed elsewhere; one that does not take news is of no use.
      void connection.close(error)
    })
  }

  #hear(nodeId: string, connection: Connection, said: { readonly protocol: number }): void {
    if (said.protocol !== protocolVersion) {
      const why = `it speaks version ${said.protocol} of the protocol, this node version ${protocolVersion}: update the older one`
      if (this.#incompatible.get(nodeId) !== why)
        this.#options.log(`'${nodeId}' cannot be worked with: ${why}`)
      this.#incompatible.set(nodeId, why)
      return
    }
    this.#incompatible.delete(nodeId)
    const { success, data: news, error } = newsSchema.safeParse(said)
    if (!success) throw new ProtocolError(`the news of '${nodeId}': ${z.prettifyError(error)}`)
    if (this.#known.has(nodeId)) return this.#take(nodeId, news)
    this.#early.set(nodeId, news)
    void connection.closed.then(() => this.#early.delete(nodeId))
  }

  #take(nodeId: string, news: News): void {
    const known = this.#known.get(nodeId)!
    const isNew = known.news === undefined
    known.news = news
    known.toldAt = this.#clock.now()
    this.#gone.delete(nodeId)
    this.#sightings.tell(nodeId, news.members)
    const neighbour = this.get(nodeId)!
    this.#emit({ kind: isNew ? 'came' : 'told', neighbour })
    // Who is there is news to the others.
    if (isNew) this.changed()
  }

  #view(sighting: Sighting): NodeView {
    const { nodeId = '', clusterId, role, state, version, address, addresses } = sighting
    const known = state === 'trusted' ? this.#known.get(nodeId) : undefined
    const wrong = this.#incompatible.get(nodeId)
    const isOther = addresses.some(({ problem }) => problem?.kind === 'other-cluster')
    const problems = isOther
      ? ['it is of another cluster: shoal invite makes a code by which it can join this one']
      : addresses.flatMap(({ address: at, problem }) => (problem ? [`${at}: ${problem.message}`] : []))
    const wasHere = state !== 'trusted' && this.#gone.has(nodeId)
    return {
      nodeId,
      clusterId,
      role,
      state: wrong !== undefined ? 'reachable' : wasHere ? 'lost' : state,
      addresses: address === undefined ? addresses.map((tried) => tried.address) : [address],
      problem: wrong ?? (state === 'trusted' ? '' : problems.join('; ')),
      version: known?.news?.version ?? version,
      ...(known?.news && { inventory: known.news.inventory, ageMs: this.#clock.now() - known.toldAt }),
    }
  }

  #emit(event: NeighbourEvent): void {
    for (const listener of this.#listeners) listener(event)
  }
}
