// How much may be done in how much time: a bucket of tokens that fills evenly, so that what floods in costs no more than this.
import type { Clock } from '@shoal/distributed/peers'

/** So many at once, and so many a second from then on. */
export class Allowance {
  readonly #clock: Clock
  readonly #perSecond: number
  readonly #burst: number
  #left: number
  #at: number

  constructor(clock: Clock, perSecond: number, burst: number) {
    this.#clock = clock
    this.#perSecond = perSecond
    this.#burst = burst
    this.#left = burst
    this.#at = clock.now()
  }

  /** May one more be done now? Where it may, it counts as done. */
  take(): boolean {
    const now = this.#clock.now()
    this.#left = Math.min(this.#burst, this.#left + ((now - this.#at) / 1000) * this.#perSecond)
    this.#at = now
    if (this.#left < 1) return false
    this.#left--
    return true
  }
}
