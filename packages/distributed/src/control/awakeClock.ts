// Time as far as this process was awake to see it: whoever was stopped, or had its machine sleep, learns nothing from others' silence meanwhile.
import type { Clock } from '../clock.ts'

/** How such a clock goes. */
export interface AwakeOptions {
  /** Milliseconds between its looks at the clock below; its timers are late by as much. Default 100. */
  readonly tickMs?: number
  /** The most that it moves on from one look to the next. Default 500. */
  readonly mostMs?: number
}

interface Timer {
  readonly at: number
  readonly action: () => void
}

/** A clock over another one, which must never go back: the time of day is none. Close it, or it ticks for ever. */
export class AwakeClock implements Clock {
  readonly #clock: Clock
  readonly #tickMs: number
  readonly #mostMs: number
  readonly #timers = new Set<Timer>()
  #awake = 0
  #looked: number
  #cancel: () => void

  constructor(clock: Clock, { tickMs = 100, mostMs = 500 }: AwakeOptions = {}) {
    this.#clock = clock
    this.#tickMs = tickMs
    this.#mostMs = mostMs
    this.#looked = clock.now()
    this.#cancel = clock.after(tickMs, () => this.#tick())
  }

  now(): number {
    return this.#awake + Math.min(this.#clock.now() - this.#looked, this.#mostMs)
  }

  after(ms: number, action: () => void): () => void {
    const timer = { at: this.now() + ms, action }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Stands still from now on; its timers do not go off any more. */
  close(): void {
    this.#cancel()
    this.#timers.clear()
  }

  #tick(): void {
    this.#awake = this.now()
    this.#looked = this.#clock.now()
    this.#cancel = this.#clock.after(this.#tickMs, () => this.#tick())
    const due = [...this.#timers].filter(({ at }) => at <= this.#awake).toSorted((a, b) => a.at - b.at)
    // One that went off may have called off another.
    for (const timer of due) if (this.#timers.delete(timer)) timer.action()
  }
}
