// Who is tried when: as many connections at once as may be, those first that are likely to lead to somebody, with growing pauses after each failure.
import type { Clock, PeerIdentity } from '@shoal/distributed/peers'
import type { Entry } from './entry.ts'
import type { Problem } from './problem.ts'
import { race, type Reach, type Reached, Slots } from './race.ts'

/** A node, as it knows itself. */
export interface Self {
  readonly nodeId: string
  /** Empty where it is in no cluster: then nobody can be trusted. */
  readonly clusterId: string
}

/** Has it proved to be of this node's cluster? */
export const isMember = ({ cluster }: PeerIdentity, { clusterId }: Self): boolean =>
  cluster !== '' && cluster === clusterId

/** What attempts need, and whom they tell. */
export interface AttemptsOptions {
  readonly self: Self
  readonly reach: Reach
  readonly clock: Clock
  readonly uniform: () => number
  readonly maxAttempts: number
  readonly staggerMs: number
  readonly deadlineMs: number
  readonly firstPauseMs: number
  readonly longestPauseMs: number
  readonly entries: () => Iterable<Entry>
  /** A peer has proved who it is. */
  readonly reached: (entry: Entry, connection: Reached, address: string) => void
  /** Another member of the cluster answered at an address. */
  readonly moved: (entry: Entry, address: string) => void
  /** All addresses of a peer were tried, or one led there. */
  readonly tried: (entry: Entry) => void
}

/** Tries to reach every peer that is not connected. */
export class Attempts {
  readonly #options: AttemptsOptions
  readonly #slots: Slots
  readonly #over = new AbortController()
  #disarm = (): void => {}

  constructor(options: AttemptsOptions) {
    this.#options = options
    this.#slots = new Slots(options.maxAttempts)
  }

  /** Looks again whose turn it is, once those who have something to say now have said it. */
  schedule(): void {
    this.#wait(0)
  }

  /** Withdraws all that is under way. */
  close(): void {
    this.#disarm()
    this.#over.abort()
  }

  #wait(ms: number): void {
    this.#disarm()
    if (!this.#over.signal.aborted) this.#disarm = this.#options.clock.after(ms, this.#begin)
  }

  /** Begins as many attempts as may be, and waits for the moment of the next. */
  readonly #begin = (): void => {
    const now = this.#options.clock.now()
    const idle = [...this.#options.entries()].filter(
      ({ connection, isTrying, sources }) => !connection && !isTrying && sources.size > 0,
    )
    const due = idle.filter(({ nextAt }) => nextAt <= now)
    const rank = this.#ranks()
    due.sort((a, b) => rank(a) - rank(b) || a.failures - b.failures || a.nextAt - b.nextAt)
    for (const entry of due) {
      if (!this.#slots.free) return
      void this.#try(entry)
    }
    const next = Math.min(...idle.map(({ nextAt }) => nextAt).filter((at) => at > now))
    if (next !== Infinity) this.#wait(next - now)
  }

  /** Those of this cluster before others; then those first whose senders' other peers have failed and are being tried least. */
  #ranks(): (entry: Entry) => number {
    const cost = new Map<string, number>()
    for (const { sources, failures, isTrying } of this.#options.entries())
      for (const { sender } of sources.values())
        cost.set(sender, (cost.get(sender) ?? 0) + failures + Number(isTrying))
    const { clusterId } = this.#options.self
    return ({ sources, clusterId: claimed, nodeId }) => {
      const senders = [...sources.values()].map(({ sender }) => cost.get(sender) ?? 0)
      return Math.min(...senders) + (claimed === clusterId || nodeId === undefined ? 0 : 1e6)
    }
  }

  async #try(entry: Entry): Promise<void> {
    const { reach, clock, staggerMs, deadlineMs, uniform, firstPauseMs, longestPauseMs } = this.#options
    entry.isTrying = true
    entry.triedAt = clock.now()
    let answered: string | undefined
    const won = await race(entry.addresses, {
      reach,
      clock,
      slots: this.#slots,
      staggerMs,
      deadlineMs,
      signal: this.#over.signal,
      judge: ({ peer }) => this.#judge(entry, peer),
      tried: (address, ended) => {
        const problem = ended && this.#explain(entry, ended)
        if (!problem) entry.problems.delete(address)
        else entry.problems.set(address, problem)
        if (problem?.kind === 'other-cluster') answered = address
        if (problem?.kind === 'other-node') this.#options.moved(entry, address)
      },
    })
    entry.isTrying = false
    if (this.#over.signal.aborted) return
    if (won) this.#options.reached(entry, won.connection, won.address)
    else if (!entry.connection) {
      const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** entry.failures)
      entry.failures++
      entry.nextAt = clock.now() + pause * (0.5 + uniform() / 2)
      entry.state = answered === undefined ? 'seen' : 'reachable'
      entry.address = answered ?? entry.address
    }
    const current = new Set(entry.addresses)
    for (const address of entry.problems.keys()) if (!current.has(address)) entry.problems.delete(address)
    this.#options.tried(entry)
    this.schedule()
  }

  /** A peer that says it is of another cluster, and whose certificate this one's authority has not signed, is there. */
  #explain({ nodeId, clusterId }: Entry, problem: Problem): Problem {
    const isOther =
      problem.kind === 'tls' && nodeId !== undefined && clusterId !== this.#options.self.clusterId
    return isOther ? { kind: 'other-cluster', message: `other cluster: ${problem.message}` } : problem
  }

  #judge({ nodeId }: Entry, peer: PeerIdentity): Problem | undefined {
    const { self } = this.#options
    if (!isMember(peer, self)) {
      const whose = peer.cluster === '' ? 'without having proved a cluster' : `for cluster ${peer.cluster}`
      return { kind: 'other-cluster', message: `other cluster: '${peer.node}' answers ${whose}` }
    }
    if (peer.node === self.nodeId) return { kind: 'self', message: 'this is this node itself' }
    if (nodeId !== undefined && peer.node !== nodeId)
      return { kind: 'other-node', message: `other node: '${peer.node}' answers, not '${nodeId}'` }
    return undefined
  }
}
