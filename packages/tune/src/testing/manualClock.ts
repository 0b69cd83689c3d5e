// A clock that a test moves.
import type { Clock } from '../clock.ts'

/** Time stands still until it is told to pass. */
export class ManualClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ readonly at: number; readonly action: () => void }>()

  now(): number {
    return this.#now
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.#now + ms, action }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Lets time pass, and what waits for it happen in order; between two actions pending promises go on. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      for (let turn = 0; turn < 20; turn++) await Promise.resolve()
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at)
      if (!next || next.at > end) break
      this.#timers.delete(next)
      this.#now = next.at
      next.action()
    }
    this.#now = end
  }

  /** How many wait. */
  get waiting(): number {
    return this.#timers.size
  }
}
