// Those who knock without being of the cluster: how many are heard at a time, how long who is wrong has to wait, and how much is written of them.
import type { Socket } from 'node:net'
import type { Clock } from '@shoal/distributed/peers'
import { addressBytes } from './addressBytes.ts'

/** How much strangers may cost. */
export interface StrangersOptions {
  readonly clock: Clock
  readonly log: (line: string) => void
  /** How many are heard at a time. Default 16. */
  readonly most?: number
}

/** Milliseconds that the first wrong answer of somebody waits; each one after it waits twice as long. */
const firstMs = 250
const mostMs = 5000
/** How many wrong answers of all together count as one of somebody's. */
const together = 16
/** Milliseconds after which it is forgotten that somebody was wrong. */
const forgivenMs = 600_000
/** The most sources that are remembered. */
const maxSources = 256
/** Milliseconds between two lines about strangers. */
const silenceMs = 60_000

/** A stranger who is heard. */
interface Stranger {
  readonly socket: Socket
  readonly source: string
  isWrong: boolean
}

/** Everybody who is heard at the door. Whoever has shown a right proof is no stranger any more. */
export class Strangers {
  readonly #options: StrangersOptions
  readonly #most: number
  /** The oldest first. */
  readonly #heard = new Map<Socket, Stranger>()
  readonly #wrong = new Map<string, { times: number; at: number }>()
  #unsaid = 0
  #saidAt = -Infinity

  constructor(options: StrangersOptions) {
    this.#options = options
    this.#most = options.most ?? 16
  }

  /** How many are heard now. */
  get size(): number {
    return this.#heard.size
  }

  /**
   * Hears one more. Where that is one too many another one has to go: one who was wrong already, or else the oldest of those of whom most come from one
   * place. So whoever has the right code, and needs no time, is heard however many others crowd the door.
   */
  hear(socket: Socket): void {
    if (this.#heard.size >= this.#most) this.#makeRoom()
    this.#heard.set(socket, { socket, source: sourceOf(socket.remoteAddress), isWrong: false })
    socket.once('close', () => this.release(socket))
  }

  /** Is a stranger no more, or not there any more. */
  release(socket: Socket): void {
    this.#heard.delete(socket)
  }

  /**
   * Counts that a stranger was wrong.
   * @returns milliseconds that the answer has to wait: longer each time, for those of one place, and where many are wrong for all.
   */
  wrong(socket: Socket): number {
    const stranger = this.#heard.get(socket)
    if (stranger) stranger.isWrong = true
    const own = this.#count(stranger?.source ?? sourceOf(socket.remoteAddress))
    const all = this.#count('') / together
    return Math.min(mostMs, firstMs * 2 ** (Math.max(own, all) - 1))
  }

  /** Writes that somebody was not let in, once a minute at most. */
  turnedAway(socket: Socket, why: string): void {
    this.#unsaid++
    const now = this.#options.clock.now()
    if (now - this.#saidAt < silenceMs) return
    const others = this.#unsaid > 1 ? ` ${this.#unsaid - 1} more since the last such line.` : ''
    this.#options.log(
      `a stranger at ${socket.remoteAddress ?? 'an address that is gone'} was not let in: ${why}.${others}`,
    )
    this.#saidAt = now
    this.#unsaid = 0
  }

  #makeRoom(): void {
    const all = [...this.#heard.values()]
    const bySource = Map.groupBy(all, ({ source }) => source)
    const crowd = [...bySource.values()].reduce((most, some) => (some.length > most.length ? some : most))
    const victim = all.find(({ isWrong }) => isWrong) ?? crowd[0]
    if (!victim) return
    this.release(victim.socket)
    victim.socket.destroy()
  }

  /** How often this source was wrong, this time included. */
  #count(source: string): number {
    const now = this.#options.clock.now()
    const before = this.#wrong.get(source)
    const times = (before && now - before.at < forgivenMs ? before.times : 0) + 1
    // In the order in which they were wrong last.
    this.#wrong.delete(source)
    this.#wrong.set(source, { times, at: now })
    if (this.#wrong.size > maxSources) this.#wrong.delete(this.#wrong.keys().next().value!)
    return times
  }
}

/** Where somebody comes from: an address of IPv4, or the half of one of IPv6 that its owner cannot choose. */
export function sourceOf(remoteAddress = ''): string {
  const host = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '')
  if (!host.includes(':')) return host
  const bytes = addressBytes(`[${host}]:0`)
  return bytes ? Buffer.from(bytes.subarray(0, 8)).toString('hex') : host
}
