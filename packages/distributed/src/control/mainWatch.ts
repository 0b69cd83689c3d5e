// Is the main thread busy? It counts in shared memory whenever it comes round to its timers; whoever watches sees when the count stands still.
import type { Clock } from '../clock.ts'

/** Milliseconds between two counts of a main thread that is not busy. */
const countEveryMs = 50
/** Milliseconds between two looks at the count. */
const lookEveryMs = 100

/** Starts to count, in the first of the words. The answer stops it. It keeps no process alive. */
export function countInMain(words: Int32Array): () => void {
  const timer = setInterval(() => Atomics.add(words, 0, 1), countEveryMs).unref()
  return () => clearInterval(timer)
}

/** Watches the count, for as long as its clock goes. */
export class MainWatch {
  readonly #clock: Clock
  readonly #words: Int32Array
  #count: number
  #changedAt: number

  /** @param clock should stand still while the whole process does: that is nothing that the main thread is busy with. */
  constructor(clock: Clock, words: Int32Array) {
    this.#clock = clock
    this.#words = words
    this.#count = Atomics.load(words, 0)
    this.#changedAt = clock.now()
    clock.after(lookEveryMs, () => this.#look())
  }

  /** Milliseconds since the count was last seen to change; of a main thread that is idle up to some 200. */
  get busyMs(): number {
    return this.#clock.now() - this.#changedAt
  }

  #look(): void {
    const count = Atomics.load(this.#words, 0)
    if (count !== this.#count) this.#changedAt = this.#clock.now()
    this.#count = count
    this.#clock.after(lookEveryMs, () => this.#look())
  }
}
