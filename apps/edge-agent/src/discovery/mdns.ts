// Discovery by multicast: one node advertises itself and sees the others, on every link that is up.
import { type Clock, systemClock } from '@shoal/distributed/peers'
import { Advertiser } from './advertiser.ts'
import { Allowance } from './allowance.ts'
import { Browser, type SeenPeer } from './browser.ts'
import type { Link } from './links.ts'
import type { Heard, Medium, OpenMedium } from './medium.ts'
import { readMessage } from './message.ts'
import type { Announcement } from './records.ts'
import { udpMedium } from './udpMedium.ts'

/** How to be found and to find. */
export interface MdnsOptions {
  /** Told whenever a peer has come, gone or changed. */
  readonly changed: () => void
  /** Told in words of what a person should know: a name that was taken, an interface that does not work. */
  readonly log: (line: string) => void
  /** What carries the packets. Default: UDP on every interface of this machine, port 5353. */
  readonly medium?: OpenMedium
  /** How long others remember this node without hearing of it, in seconds; it says all again before half of that is over. Default 20. */
  readonly ttlSeconds?: number
  /** The most announcements that are remembered. Default 256. */
  readonly maxPeers?: number
  /** Which nodes have proved who they are: they are the last to be forgotten. Default: none. */
  readonly isVerified?: (nodeId: string) => boolean
  /** Default: the system's. */
  readonly clock?: Clock
  /** Evenly from 0 to below 1. Default `Math.random`. */
  readonly uniform?: () => number
}

/** How many packets of one link are read: a burst of them, and so many a second. What comes above that is lost, as any packet may be. */
const packetsPerSecond = 100
const packetsAtOnce = 400

/** Changes that come together are told together: a flood of them costs no more than so many a second. */
const togetherMs = 50

/** One node's part in multicast DNS: `_shoal._tcp` with PTR, SRV, TXT, A and AAAA. What it finds is only seen, never trusted. */
export class Mdns implements AsyncDisposable {
  readonly #medium: Medium
  readonly #advertiser: Advertiser
  readonly #browser: Browser
  readonly #clock: Clock
  readonly #links = new Map<string, { readonly link: Link; readonly allowance: Allowance }>()
  readonly #told: () => void
  #disarm: (() => void) | undefined
  #closed: Promise<void> | undefined

  /** Begins at once. The name on the network is the node's id, or where another node has that, one with a number. */
  constructor(said: Announcement, options: MdnsOptions) {
    const { changed, log, ttlSeconds = 20, maxPeers = 256, isVerified = () => false } = options
    const { clock = systemClock, uniform = Math.random, medium: open = udpMedium({ clock }) } = options
    this.#clock = clock
    this.#told = changed
    this.#medium = open({
      heard: (packet) => this.#heard(packet),
      linksChanged: (links) => this.#linksChanged(links),
      faulted: (fault) => log(`discovery does not work on ${fault}`),
    })
    const medium = this.#medium
    const renamed = (from: string, to: string, holder: string): void =>
      log(
        `the name '${from}' is taken on this network by the node at ${holder}: this node is listed as '${to}'`,
      )
    this.#advertiser = new Advertiser({ said, medium, clock, uniform, ttlSeconds, renamed })
    const self = this.#advertiser
    const report = (): void => this.#report()
    this.#browser = new Browser({ medium, clock, uniform, maxPeers, isVerified, self, changed: report })
  }

  /** The name by which this node is listed. */
  get instance(): string {
    return this.#advertiser.instance
  }

  /** Those who say that they are there, once for each link on which they say it. */
  get peers(): readonly SeenPeer[] {
    return this.#browser.peers
  }

  /** The links on which this node speaks. */
  get links(): readonly Link[] {
    return [...this.#links.values()].map(({ link }) => link)
  }

  /** What keeps discovery from working, in words. */
  get faults(): readonly string[] {
    return this.#medium.faults
  }

  /** Says goodbye, and is silent from then on. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed) {
      this.#disarm?.()
      this.#advertiser.close()
      this.#browser.close()
      this.#closed = this.#medium[Symbol.asyncDispose]()
    }
    await this.#closed
  }

  #report(): void {
    this.#disarm ??= this.#clock.after(togetherMs, () => {
      this.#disarm = undefined
      this.#told()
    })
  }

  #linksChanged(links: readonly Link[]): void {
    if (this.#closed) return
    for (const [name, { link }] of this.#links) if (!links.includes(link)) this.#links.delete(name)
    for (const link of links) {
      if (this.#links.has(link.name)) continue
      this.#links.set(link.name, {
        link,
        allowance: new Allowance(this.#clock, packetsPerSecond, packetsAtOnce),
      })
    }
    this.#advertiser.linksChanged(links)
    this.#browser.linksChanged(links)
  }

  #heard(heard: Heard): void {
    if (this.#closed || !this.#links.get(heard.link)?.allowance.take()) return
    const message = readMessage(heard.bytes)
    // Responses from another port are no responses: RFC 6762, section 6.
    if (!message || (message.isResponse && heard.port !== this.#medium.port)) return
    this.#advertiser.heard(message, heard)
    if (message.isResponse) this.#browser.heard(message, heard)
  }
}
