// The way into a node: what comes from several streams at once shares it in turns, as senders that hear of each other by their losses come to do.
import type { Flow } from './parcel.ts'
import type { SimulatedClock } from './simulatedClock.ts'
import { type Rate, transferMs } from './uplink.ts'

/** A segment whose first byte is there. */
export interface Arrival {
  readonly flow: Flow
  readonly bytes: number
  /** The moment before which its last byte is not there, however fast the way in is. */
  readonly notBefore: number
  readonly deliver: () => void
}

/** One segment at a time, of the stream that waits for longest. */
export class Downlink {
  readonly #clock: SimulatedClock
  readonly #rate: Rate
  /** What waits, by stream; who was served goes to the end. */
  readonly #waiting = new Map<Flow, Arrival[]>()
  #busy = false

  constructor(clock: SimulatedClock, rate: Rate) {
    this.#clock = clock
    this.#rate = rate
  }

  /** Takes a segment. */
  take(arrival: Arrival): void {
    const own = this.#waiting.get(arrival.flow)
    if (own) own.push(arrival)
    else this.#waiting.set(arrival.flow, [arrival])
    this.#next()
  }

  #next(): void {
    if (this.#busy) return
    const [first] = this.#waiting
    if (!first) return
    const [flow, own] = first
    const { bytes, notBefore, deliver } = own.shift()!
    this.#waiting.delete(flow)
    if (own.length > 0) this.#waiting.set(flow, own)
    this.#busy = true
    const freeAt = this.#clock.now() + transferMs(bytes, this.#rate)
    flow.deliveredAt = Math.max(freeAt, notBefore, flow.deliveredAt)
    this.#clock.at(flow.deliveredAt, deliver)
    const free = (): void => {
      this.#busy = false
      this.#next()
    }
    this.#clock.at(freeAt, free, true)
  }
}
