// The part that finds: it asks who is there, and remembers a bounded number of those who say so for as long as they say it.
import type { Clock } from '@shoal/distributed/peers'
import type { Link } from './links.ts'
import type { Heard, Medium } from './medium.ts'
import { type Message, type ServiceRecord, writeMessage } from './message.ts'
import { announcementsOf, claimsOf, type HeardAnnouncement, instanceName, serviceType } from './records.ts'

/** A node that says that it is there. It may be anybody, and need not be there at all. */
export interface SeenPeer extends Omit<HeardAnnouncement, 'ttlMs'> {
  /** The name of the link that it was heard on. */
  readonly interface: string
  /** The address that its packet came from. */
  readonly sender: string
  /** When it was last heard, in milliseconds of the clock. */
  readonly lastSeen: number
}

/** What a browser needs. */
export interface BrowserOptions {
  readonly medium: Pick<Medium, 'send'>
  readonly clock: Clock
  /** Evenly from 0 to below 1. */
  readonly uniform: () => number
  /** The most announcements that are remembered. */
  readonly maxPeers: number
  /** Which nodes have proved who they are: they are the last to be forgotten. */
  readonly isVerified: (nodeId: string) => boolean
  /** This node itself, as it advertises itself. */
  readonly self: { readonly instance: string; isSelf(host: string): boolean }
  /** Told whenever something has come, gone or changed. */
  readonly changed: () => void
}

/** The most announcements of one sender: a machine has few nodes, and one that says otherwise pushes out its own. */
const maxOfSender = 32
/** The most announcements of one packet: nodes send one. */
const maxOfPacket = 4
const firstQueryMs = 20
const longestQueryMs = 60_000
/** The most that one packet lists: it stays below what one frame of Ethernet carries. */
const maxListed = 20
/** At which parts of its time an announcement that was not repeated is asked for. */
const askAgainAt = [0.8, 0.9]

interface Remembered {
  readonly peer: SeenPeer
  readonly ttlMs: number
  /** How often it has been asked for since it was heard. */
  asked: number
}

/** Browses every link. */
export class Browser {
  readonly #options: BrowserOptions
  readonly #peers = new Map<string, Remembered>()
  readonly #links = new Map<string, { readonly link: Link; disarm: () => void }>()
  #disarm = (): void => {}

  constructor(options: BrowserOptions) {
    this.#options = options
  }

  /** Those who say that they are there, in the order in which they were last heard. */
  get peers(): readonly SeenPeer[] {
    return [...this.#peers.values()].map(({ peer }) => peer)
  }

  /** Asks on links that are new; forgets who was heard on those that are gone. */
  linksChanged(links: readonly Link[]): void {
    const { clock, uniform } = this.#options
    for (const [name, state] of this.#links) {
      if (links.includes(state.link)) continue
      state.disarm()
      this.#links.delete(name)
      this.#forget((peer) => peer.interface === name)
    }
    for (const link of links) {
      if (this.#links.has(link.name)) continue
      const state = { link, disarm: () => {} }
      this.#links.set(link.name, state)
      const query = (nextMs: number): void => {
        this.#query(link.name)
        const pause = Math.min(nextMs, longestQueryMs)
        state.disarm = clock.after(pause, () => query(pause * 2))
      }
      state.disarm = clock.after(firstQueryMs + 100 * uniform(), () => query(1000))
    }
  }

  /** Takes a response that was heard. */
  heard({ answers, additionals }: Message, from: Heard): void {
    const link = this.#links.get(from.link)?.link
    if (!link) return
    // Only who said that it is there can say that it goes.
    const gone = claimsOf(answers.filter(({ ttl }) => ttl === 0))
      .map((claim) => keyOf(claim, from.link))
      .filter((key) => this.#peers.get(key)?.peer.sender === from.address)
    for (const key of gone) this.#peers.delete(key)
    const heard = announcementsOf([...answers, ...additionals], link)
      .filter(({ host }) => !this.#options.self.isSelf(host))
      .slice(0, maxOfPacket)
    const isNews = heard.map((announcement) => this.#remember(announcement, from)).includes(true)
    if (gone.length > 0 || isNews) this.#options.changed()
    if (gone.length > 0 || heard.length > 0) this.#arm()
  }

  /** Asks and remembers nothing more. */
  close(): void {
    this.#disarm()
    for (const { disarm } of this.#links.values()) disarm()
    this.#links.clear()
    this.#peers.clear()
  }

  #remember({ ttlMs, ...announcement }: HeardAnnouncement, from: Heard): boolean {
    const { clock, maxPeers } = this.#options
    const key = keyOf(announcement, from.link)
    const peer = { ...announcement, interface: from.link, sender: from.address, lastSeen: clock.now() }
    const before = this.#peers.get(key)
    this.#peers.delete(key)
    this.#peers.set(key, { peer, ttlMs, asked: 0 })
    const ofSender = (other: SeenPeer): boolean => other.sender === from.address
    this.#evict(ofSender, maxOfSender)
    this.#evict(() => true, maxPeers)
    return !before || describe(before.peer) !== describe(peer)
  }

  /** Forgets whoever was not heard for longest among those who have proved nothing. */
  #evict(among: (peer: SeenPeer) => boolean, most: number): void {
    const entries = [...this.#peers].filter(([, { peer }]) => among(peer))
    if (entries.length <= most) return
    const [oldest] = entries.find(([, { peer }]) => !this.#options.isVerified(peer.nodeId)) ?? entries[0]!
    this.#peers.delete(oldest)
  }

  #forget(which: (peer: SeenPeer) => boolean): void {
    const gone = [...this.#peers].filter(([, { peer }]) => which(peer))
    for (const [key] of gone) this.#peers.delete(key)
    if (gone.length > 0) this.#options.changed()
  }

  /** Asks who is there, and lists who is known well enough not to answer. RFC 6762, section 7.1. */
  #query(link: string): void {
    const { medium, clock, self } = this.#options
    const now = clock.now()
    // It knows itself, and so does not answer itself.
    const own = listed(self.instance, longestQueryMs)
    const known = [...this.#peers.values()].flatMap(({ peer, ttlMs }): ServiceRecord[] => {
      const leftMs = peer.lastSeen + ttlMs - now
      if (peer.interface !== link || leftMs < ttlMs / 2) return []
      return [listed(peer.instance, leftMs)]
    })
    const questions = [{ name: serviceType, type: 'PTR' }]
    medium.send(link, writeMessage({ questions, answers: [own, ...known.slice(-maxListed)] }))
  }

  /** Waits for the next moment at which somebody is to be asked for again, or forgotten. */
  #arm(): void {
    this.#disarm()
    const next = Math.min(...[...this.#peers.values()].map(nextAt))
    if (next === Infinity) return
    const { clock } = this.#options
    this.#disarm = clock.after(Math.max(0, next - clock.now()), this.#tend)
  }

  readonly #tend = (): void => {
    const { clock, medium } = this.#options
    const now = clock.now()
    this.#forget((peer) => {
      const { ttlMs } = this.#peers.get(keyOf(peer, peer.interface))!
      return peer.lastSeen + ttlMs <= now
    })
    const due = [...this.#peers.values()].filter((entry) => nextAt(entry) <= now)
    for (const entry of due) entry.asked++
    for (const link of this.#links.keys()) {
      const asked = due.filter(({ peer }) => peer.interface === link).slice(0, maxListed)
      const questions = asked.map(({ peer }) => ({ name: instanceName(peer.instance), type: 'SRV' }))
      if (questions.length > 0) medium.send(link, writeMessage({ questions }))
    }
    this.#arm()
  }
}

const listed = (instance: string, leftMs: number): ServiceRecord => ({
  type: 'PTR',
  name: serviceType,
  ttl: Math.floor(leftMs / 1000),
  flush: false,
  data: instanceName(instance),
})

/** Whoever has another host is another one, whatever its name: nobody can speak over a node. */
const keyOf = ({ instance, host }: Pick<SeenPeer, 'instance' | 'host'>, link: string): string =>
  `${instance} ${host} ${link}`.toLowerCase()

const nextAt = ({ peer, ttlMs, asked }: Remembered): number =>
  peer.lastSeen + ttlMs * (askAgainAt[asked] ?? 1)

/** All that is said of a peer, but not when, nor over which family. */
const describe = (peer: SeenPeer): string => JSON.stringify({ ...peer, lastSeen: 0, sender: '' })
