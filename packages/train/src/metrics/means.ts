// Means over steps.
import type { Metrics } from '../hook.ts'

/** Gathers numbers by name and answers their means. */
export class Means {
  readonly #sums = new Map<string, { sum: number; weight: number }>()

  /** Counts each number `weight` times: the size of its batch, where batches differ. Default 1. */
  add(metrics: Metrics, weight = 1): void {
    for (const [name, x] of Object.entries(metrics)) {
      const so = this.#sums.get(name) ?? { sum: 0, weight: 0 }
      this.#sums.set(name, { sum: so.sum + x * weight, weight: so.weight + weight })
    }
  }
  /** The means so far; NaN where all weights were 0. */
  get means(): Metrics {
    return Object.fromEntries([...this.#sums].map(([name, { sum, weight }]) => [name, sum / weight]))
  }
  /** Starts anew. */
  clear(): void {
    this.#sums.clear()
  }
}
