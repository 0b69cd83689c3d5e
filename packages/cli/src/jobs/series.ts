// A measured number over the steps, in bounded memory: neighbours are put together when there are too many.
import type { Point } from '../drawing/braille.ts'

interface Bin {
  sum: number
  count: number
}

/** Means of what was measured at each step, or in each stretch of steps where there are many. */
export class Series {
  readonly #most: number
  /** By step, or by the beginning of a stretch. */
  #bins = new Map<number, Bin>()
  #width = 0

  /** @param most stretches that are kept; default 1024. */
  constructor(most = 1024) {
    this.#most = most
  }

  /** How many points there are. */
  get size(): number {
    return this.#bins.size
  }

  /** Several tasks may measure at the same step, and a step may come again after a failure: what is kept is the mean. */
  add(step: number, value: number): void {
    this.#put(step, value, 1)
    if (this.#bins.size <= this.#most) return
    const steps = [...this.#bins.keys()]
    const range = steps.reduce((a, b) => Math.max(a, b)) - steps.reduce((a, b) => Math.min(a, b))
    this.#width = Math.max(2 * this.#width, (2 * range) / this.#most)
    const bins = this.#bins
    this.#bins = new Map()
    for (const [at, { sum, count }] of bins) this.#put(at, sum, count)
  }

  /** In the order of steps. */
  points(): readonly Point[] {
    return [...this.#bins].map(([x, { sum, count }]) => ({ x, y: sum / count })).sort((a, b) => a.x - b.x)
  }

  #put(step: number, sum: number, count: number): void {
    const at = this.#width === 0 ? step : Math.floor(step / this.#width) * this.#width
    const bin = this.#bins.get(at)
    if (!bin) return void this.#bins.set(at, { sum, count })
    bin.sum += sum
    bin.count += count
  }
}
