// The way out of a node: its streams share it in turns, a segment each.
import type { SimulatedClock } from './simulatedClock.ts'

/** Whatever has something to send. */
export interface Sender {
  /** Sends its next segment, of at most `mostBytes`, off on its way; answers with its bytes, or nothing where there is none. */
  depart(mostBytes: number): number | undefined
  /** A segment has left the uplink. */
  departed(bytes: number): void
}

/** How fast something passes bytes on. It may be changed while it is in use. */
export interface Rate {
  bytesPerSecond: number
}

/** The milliseconds that bytes take at a rate. */
export const transferMs = (bytes: number, { bytesPerSecond }: Rate): number => (1000 * bytes) / bytesPerSecond

/** One segment at a time, of whoever waits for longest. */
export class Uplink {
  readonly #clock: SimulatedClock
  readonly #rate: Rate
  readonly #segmentBytes: number
  readonly #waiting = new Set<Sender>()
  #busy = false

  constructor(clock: SimulatedClock, rate: Rate, segmentBytes: number) {
    this.#clock = clock
    this.#rate = rate
    this.#segmentBytes = segmentBytes
  }

  /** A sender has something to send. */
  ready(sender: Sender): void {
    this.#waiting.add(sender)
    this.#next()
  }

  #next(): void {
    if (this.#busy) return
    for (const sender of this.#waiting) {
      this.#waiting.delete(sender)
      const bytes = sender.depart(this.#segmentBytes)
      if (bytes === undefined) continue
      this.#busy = true
      const departed = (): void => {
        this.#busy = false
        // Whoever has more goes to the end of the line.
        this.#waiting.add(sender)
        sender.departed(bytes)
        this.#next()
      }
      this.#clock.at(this.#clock.now() + transferMs(bytes, this.#rate), departed, true)
      return
    }
  }
}
