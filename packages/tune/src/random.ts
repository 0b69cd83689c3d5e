// Seeded random numbers: number i of a stream is computed from seed, stream and i alone, so that a trial's numbers depend on no other trial.
import { threefry } from '@shoal/core'

/** A stream of random numbers. The same seed and stream give the same numbers on every machine. */
export class Random {
  readonly #key: readonly [number, number]
  #count = 0
  #spare: number | undefined

  /**
   * @param seed a whole number; all 53 bits count
   * @param stream which of the seed's streams: of a trial, its number
   */
  constructor(seed: number, stream: number) {
    this.#key = threefry(words(seed), words(stream))
  }

  /** A number from 0 to 1, which is never reached; 53 bits. */
  uniform(): number {
    const [high, low] = threefry(this.#key, words(this.#count++))
    return ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53
  }

  /** A whole number from 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound)
  }

  /** One of the items, each equally likely. */
  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /** A number from the standard normal distribution. Box and Muller, A Note on the Generation of Random Normal Deviates, 1958. */
  normal(): number {
    if (this.#spare !== undefined) {
      const spare = this.#spare
      this.#spare = undefined
      return spare
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()))
    const angle = 2 * Math.PI * this.uniform()
    this.#spare = radius * Math.sin(angle)
    return radius * Math.cos(angle)
  }

  /** The items in random order. */
  shuffled<T>(items: readonly T[]): T[] {
    const result = [...items]
    for (let i = result.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      ;[result[i], result[j]] = [result[j]!, result[i]!]
    }
    return result
  }
}

const words = (value: number): [number, number] => [value >>> 0, Math.floor(value / 2 ** 32) >>> 0]
