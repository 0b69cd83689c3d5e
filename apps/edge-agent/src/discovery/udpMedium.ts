// Multicast over UDP: one socket for each interface and family, opened and closed as the interfaces come and go.
import { createSocket, type Socket } from 'node:dgram'
import { asError, type Clock, systemClock } from '@shoal/distributed/peers'
import { type Family, familyOf, type Link, neighbourhood, readLinks, sameLink } from './links.ts'
import type { Heard, Medium, MediumListener, OpenMedium } from './medium.ts'

/** Where to speak, and how often to look for interfaces. */
export interface UdpOptions {
  /** Default 5353, that of multicast DNS. */
  readonly port?: number
  /** Which interfaces to use. Default: all that are up, loopback too. */
  readonly uses?: (link: Link) => boolean
  /** How often to look which interfaces there are, for no system tells. Default 2000. */
  readonly pollMs?: number
  /** Default: the system's. */
  readonly clock?: Clock
  /** Answers with the interfaces that are up. Default: this machine's. */
  readonly links?: () => readonly Link[]
}

/** RFC 6762, section 3. */
const groups = { ipv4: '224.0.0.251', ipv6: 'ff02::fb' } as const

/** One open socket. */
interface Channel {
  readonly socket: Socket
  readonly family: Family
  readonly group: string
  state: 'opening' | 'open' | 'failed'
}

/** What keeps a socket from working, and since when. */
interface Fault {
  readonly message: string
  readonly since: number
  told: boolean
}

/** A link that is spoken on. */
interface Used {
  readonly link: Link
  readonly channels: Channel[]
}

/** Multicast on the interfaces of this machine. */
export const udpMedium =
  (options: UdpOptions = {}): OpenMedium =>
  (listener) =>
    new UdpMedium(options, listener)

class UdpMedium implements Medium {
  readonly port: number
  readonly #options: Required<UdpOptions>
  readonly #listener: MediumListener
  readonly #used = new Map<string, Used>()
  readonly #faults = new Map<string, Fault>()
  /** What is to be done before all is closed: packets on their way out, sockets on their way down. */
  readonly #unfinished = new Set<Promise<void>>()
  #disarm: () => void
  #closed = false

  constructor(options: UdpOptions, listener: MediumListener) {
    const defaults = { port: 5353, uses: () => true, pollMs: 2000, clock: systemClock, links: readLinks }
    this.#options = { ...defaults, ...options }
    this.port = this.#options.port
    this.#listener = listener
    this.#disarm = this.#options.clock.after(0, this.#look)
  }

  get faults(): readonly string[] {
    if (this.#used.size === 0 && !this.#closed) return ['no network interface is up']
    return [...this.#faults].map(([channel, { message }]) => `${channel}: ${message}`)
  }

  send(link: string, bytes: Uint8Array): void {
    for (const channel of this.#used.get(link)?.channels ?? [])
      this.#transmit(link, channel, bytes, this.port, channel.group)
  }

  reply(to: Heard, bytes: Uint8Array): void {
    const channel = this.#used.get(to.link)?.channels.find(({ family }) => family === familyOf(to.address))
    if (channel) this.#transmit(to.link, channel, bytes, to.port, to.address)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#disarm()
    // What was sent before, a goodbye, still leaves.
    await Promise.all(this.#unfinished)
    for (const name of this.#used.keys()) this.#drop(name)
    await Promise.all(this.#unfinished)
  }

  #transmit(link: string, channel: Channel, bytes: Uint8Array, port: number, address: string): void {
    if (channel.state !== 'open') return
    const key = keyOf(link, channel.family)
    this.#finish((done) =>
      channel.socket.send(bytes, port, address, (error) => {
        if (error) this.#fault(key, `nothing can be sent: ${error.message}`)
        else this.#faults.delete(key)
        done()
      }),
    )
  }

  /** A fault is told when it lasts: a new address of IPv6 cannot be used before it is known to be nobody else's. */
  #fault(key: string, message: string): void {
    const { clock, pollMs } = this.#options
    const now = clock.now()
    const before = this.#faults.get(key)
    const fault = before?.message === message ? before : { message, since: now, told: false }
    this.#faults.set(key, fault)
    if (fault.told || this.#closed || now - fault.since < 2 * pollMs) return
    fault.told = true
    this.#listener.faulted(`${key}: ${message}`)
  }

  #finish(begin: (done: () => void) => void): void {
    const task = new Promise<void>(begin).then(() => void this.#unfinished.delete(task))
    this.#unfinished.add(task)
  }

  readonly #look = (): void => {
    const { links, uses, pollMs, clock } = this.#options
    const now = new Map(
      links()
        .filter(uses)
        .map((link) => [link.name, link]),
    )
    let gone = false
    for (const [name, { link, channels }] of this.#used) {
      const current = now.get(name)
      if (current && sameLink(current, link)) {
        this.#mend(link, channels)
        continue
      }
      this.#drop(name)
      gone = true
    }
    for (const link of now.values()) if (!this.#used.has(link.name)) this.#use(link)
    if (gone) this.#tell()
    this.#disarm = clock.after(pollMs, this.#look)
  }

  /** Tries again what could not be opened: another program had the port, an address was not usable yet. */
  #mend(link: Link, channels: Channel[]): void {
    for (const [at, channel] of channels.entries()) {
      if (channel.state !== 'failed') continue
      this.#close(channel)
      channels[at] = this.#open(link, channel.family)
    }
  }

  #tell(): void {
    if (this.#closed) return
    const open = [...this.#used.values()].filter(({ channels }) =>
      channels.some(({ state }) => state === 'open'),
    )
    this.#listener.linksChanged(open.map(({ link }) => link))
  }

  #use(link: Link): void {
    const present = new Set(link.addresses.map(({ family }) => family))
    // IPv6 has no route for groups on loopback.
    if (link.internal && present.has('ipv4')) present.delete('ipv6')
    this.#used.set(link.name, { link, channels: [...present].map((family) => this.#open(link, family)) })
  }

  #drop(name: string): void {
    for (const channel of this.#used.get(name)!.channels) {
      this.#faults.delete(keyOf(name, channel.family))
      this.#close(channel)
    }
    this.#used.delete(name)
  }

  #close(channel: Channel): void {
    channel.state = 'failed'
    this.#finish((done) => channel.socket.close(done))
  }

  #open(link: Link, family: Family): Channel {
    const { name } = link
    const own = link.addresses.find((one) => one.family === family)!.address
    const [type, via] = family === 'ipv6' ? (['udp6', `::%${name}`] as const) : (['udp4', own] as const)
    const group = family === 'ipv6' ? `${groups.ipv6}%${name}` : groups.ipv4
    const socket = createSocket({ type, reuseAddr: true })
    const channel: Channel = { socket, family, group, state: 'opening' }
    const isNeighbour = neighbourhood(link)
    const fail = (error: unknown): void => {
      channel.state = 'failed'
      this.#fault(keyOf(name, family), asError(error).message)
    }
    socket.on('error', fail)
    // A socket hears what arrives on every interface: its own are the packets of its neighbours.
    socket.on('message', (bytes, { address, port }) => {
      if (isNeighbour(address)) this.#listener.heard({ bytes, address, port, link: name })
    })
    // Bound to the group it hears nothing else: answers to other programs that share the port stay theirs.
    const everything = process.platform === 'win32'
    socket.bind({ port: this.port, ...(!everything && { address: group }) }, () => {
      if (channel.state !== 'opening') return
      try {
        socket.setMulticastInterface(via)
        socket.addMembership(groups[family], via)
        socket.setMulticastTTL(255)
        channel.state = 'open'
        this.#faults.delete(keyOf(name, family))
        this.#tell()
      } catch (thrown) {
        fail(thrown)
      }
    })
    return channel
  }
}

const keyOf = (link: string, family: Family): string => `${link} ${family}`
