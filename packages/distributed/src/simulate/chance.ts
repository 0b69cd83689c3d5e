// Chance that is handed over: streams of numbers that follow from a seed, each apart from the others.
import { threefry } from '@shoal/core'

/** A stream of random numbers. */
export class Chance {
  readonly #seed: number
  readonly #stream: number
  #drawn = 0

  /** @param stream which of the streams of a seed: from 0 to below 2^32. */
  constructor(seed: number, stream: number) {
    this.#seed = seed
    this.#stream = stream
  }

  /** Evenly from 0 to below 1. */
  readonly uniform = (): number => {
    const key = [this.#seed >>> 0, Math.floor(this.#seed / 2 ** 32) >>> 0] as const
    const [word] = threefry(key, [this.#stream, this.#drawn++])
    return word / 2 ** 32
  }

  /** How long until something happens that happens once in `mean` on average, at any moment as likely as at any other. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform())
  }

  /** A factor whose mean is 1 and whose logarithm is spread with the standard deviation `spread`; 1 where that is 0. */
  factor(spread: number): number {
    if (spread === 0) return 1
    // Box and Muller, A Note on the Generation of Random Normal Deviates, 1958.
    const normal = Math.sqrt(this.exponential(2)) * Math.cos(2 * Math.PI * this.uniform())
    return Math.exp(spread * normal - (spread * spread) / 2)
  }
}
