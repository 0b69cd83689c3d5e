// Pauses between attempts: each longer than the one before, and none exactly as long as anybody else's.

/** Pauses of 100 ms at first and 2 s at most, each 1.6 times the one before, give or take a fifth. */
export class Backoff {
  readonly #random: () => number
  #nextMs = firstMs

  /** @param random numbers from 0 to 1. */
  constructor(random: () => number) {
    this.#random = random
  }

  /** The next pause in milliseconds. */
  next(): number {
    const ms = jittered(this.#nextMs, 0.2, this.#random)
    this.#nextMs = Math.min(mostMs, this.#nextMs * 1.6)
    return Math.min(mostMs, ms)
  }

  /** Begins anew, after a success. */
  reset(): void {
    this.#nextMs = firstMs
  }
}

const firstMs = 100
const mostMs = 2000

/** A time, give or take a part of it. */
export const jittered = (ms: number, part: number, random: () => number): number =>
  ms * (1 + part * (2 * random() - 1))
