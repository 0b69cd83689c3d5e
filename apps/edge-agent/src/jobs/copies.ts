// The copies of a job that its leader has other nodes keep: what it answers for is on one of them, where there is one.
import { type Beginning, type Copied, Copier } from './copier.ts'
import { compareEvents, replicate } from './methods.ts'
import { isNotLeader, NotLeaderError } from './notLeader.ts'
import type { Nodes } from './ports.ts'
import type { Entry, JobRecord } from './record.ts'
import type { Replica } from './replica.ts'

/** What copies are made from. */
export interface CopiesMeans {
  readonly replica: Replica
  readonly nodes: Nodes
  /** The job as it is now. */
  readonly record: () => JobRecord
  /** A keeper knows of a later leader. */
  readonly superseded: () => void
}

/** How many nodes keep a copy of a job, where there are as many. */
export const copies = 3
const callMs = 5000

/** The copies of one job. */
export class Copies {
  readonly #means: CopiesMeans
  readonly #copiers = new Map<string, Copier>()
  #isOver = false

  constructor(means: CopiesMeans) {
    this.#means = means
  }

  /** Keeps documents here, and at one keeper at least where there is one, with all events that there are. @throws where the file system fails here. */
  async keep(entries: readonly Entry[]): Promise<void> {
    // Kept in memory at once, so that nobody else writes the same version.
    const written = this.#means.replica.documents.put(entries)
    const copied = this.#pushed(entries)
    // Looked at below, after what may take longer.
    copied.catch(() => undefined)
    await written
    try {
      await copied
    } catch {
      // Whoever is answered may rely on it: what only this node has is not what the next leader has.
      if (this.#isOver) throw new NotLeaderError(`this node leads job ${this.#means.record().id} no more`)
      // Those that are still there may have a new connection; the others do not count any more.
      await this.#pushed(entries)
    }
  }

  /** A node is not there any more. */
  drop(nodeId: string): void {
    this.#copiers.delete(nodeId)
  }

  /** Copies nothing any more. */
  close(): void {
    this.#isOver = true
    this.#copiers.clear()
  }

  /** Who should keep copies now: the same list where nothing is to be changed. Those that are there get all that is known. */
  refilled(): readonly string[] {
    const { nodes, record } = this.#means
    const { keepers } = record()
    const there = keepers.filter((nodeId) => this.#isThere(nodeId))
    const others = nodes
      .present()
      .filter(({ nodeId, role }) => role === 'manager' && !keepers.includes(nodeId))
      .map(({ nodeId }) => nodeId)
    const added = others.slice(0, Math.max(0, copies - there.length))
    // One who is away keeps its place as long as nobody else can take it.
    const next = added.length > 0 ? [...there, ...added] : keepers
    for (const nodeId of next) if (nodeId !== nodes.self.nodeId && this.#isThere(nodeId)) this.#copier(nodeId)
    return next
  }

  /** Settles when one of the keepers that are there has them; at once where none is. */
  async #pushed(entries: readonly Entry[]): Promise<void> {
    const { nodes, record } = this.#means
    const there = record().keepers.filter((nodeId) => nodeId !== nodes.self.nodeId && this.#isThere(nodeId))
    if (there.length > 0) await Promise.any(there.map((nodeId) => this.#copier(nodeId).push(entries)))
  }

  #isThere(nodeId: string): boolean {
    return this.#means.nodes.present().some((node) => node.nodeId === nodeId)
  }

  #copier(nodeId: string): Copier {
    const known = this.#copiers.get(nodeId)
    if (known && !known.failed) return known
    const { replica } = this.#means
    const copier = new Copier(
      {
        begin: () => this.#compare(nodeId),
        send: (what) => this.#send(nodeId, what),
        readEvents: async (from) => (await replica.log.read(from)).events,
        eventCount: () => replica.log.length,
      },
      replica.documents.all,
    )
    this.#copiers.set(nodeId, copier)
    return copier
  }

  /** Where a keeper's events are the first of this leader's it goes on behind them; else it begins anew. */
  async #compare(nodeId: string): Promise<Beginning> {
    const { nodes, record, replica } = this.#means
    const count = replica.log.length
    const request = { job: record().id, count }
    const { events, digest } = (await nodes.call(nodeId, compareEvents, request, { deadlineMs: callMs })).says
    const isSame = events <= count && digest === (await replica.digest(events))
    return isSame ? { from: events, reset: false } : { from: 0, reset: true }
  }

  async #send(nodeId: string, { entries, from, events, reset }: Copied): Promise<number> {
    const { nodes, record, superseded } = this.#means
    const { id: job, term, leader } = record()
    const request = {
      job,
      term,
      leader,
      entries: entries.map((entry) => ({ ...entry, value: entry.value as never })),
      from,
      events: [...events],
      reset,
    }
    try {
      return (await nodes.call(nodeId, replicate, request, { deadlineMs: callMs })).says.events
    } catch (error) {
      if (isNotLeader(error)) superseded()
      throw error
    }
  }
}
