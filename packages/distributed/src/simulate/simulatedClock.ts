// Time that goes from event to event: what takes an hour takes as long as computing it, and comes out the same every time.
import { ValueError } from '@shoal/core'
import type { Clock } from '../clock.ts'
import { DeadlineError } from '../errors.ts'
import { type QueuedEvent, EventQueue } from './eventQueue.ts'
import { Macrotasks } from './macrotasks.ts'

/** How long to let time pass for a promise. */
export interface SettleOptions {
  /** What is awaited, for the message when it does not come. Default 'what was awaited'. */
  readonly what?: string
  /** The most milliseconds of simulated time. Default 3,600,000: an hour. */
  readonly withinMs?: number
}

/**
 * A clock that stands until it is let run. Events come in the order of time, then of their making; between two of them all promises that
 * can settle have settled. So a run depends on nothing but what was done in it, as long as the program waits for nothing
 * else than this clock: work of the platform's (a compilation, a file) is to go through `outside`.
 */
export class SimulatedClock implements Clock {
  readonly #queue = new EventQueue()
  #now = 0
  #made = 0
  #happened = 0
  #running = false
  #outside = 0
  #cameBack = (): void => {}

  /** Milliseconds since the clock was made. */
  now(): number {
    return this.#now
  }

  /** How many events have happened. */
  get events(): number {
    return this.#happened
  }

  /** @throws ValueError when `ms` is no number. */
  after(ms: number, action: () => void): () => void {
    return this.at(this.#now + Math.max(0, ms), action)
  }

  /**
   * Calls `action` once at the moment `at`, or now where that is over. The answer calls it off.
   * @param quiet can the action call no program, and settle no promise? Then nothing is waited for after it. Default false.
   * @throws ValueError when `at` is no number.
   */
  at(at: number, action: () => void, quiet = false): () => void {
    if (Number.isNaN(at)) throw new ValueError(`a clock was asked to wait until ${at} ms`)
    // What is to come after all time never comes.
    if (at === Infinity) return () => {}
    const event: QueuedEvent = { at: Math.max(at, this.#now), order: this.#made++, action, quiet, place: -1 }
    this.#queue.add(event)
    return () => this.#queue.remove(event)
  }

  /**
   * Lets time pass until there is nothing left to happen, or until the moment `untilMs`, which it then is. An open connection gives signs of life for
   * ever: where there is one, say until when.
   * @throws ValueError where the clock runs already, and what an action throws.
   */
  async run(untilMs = Infinity): Promise<void> {
    await this.#pass(untilMs, () => true)
    if (untilMs !== Infinity) this.#now = Math.max(this.#now, untilMs)
  }

  /**
   * Lets time pass until a promise has settled, and answers with it.
   * @throws DeadlineError where it did not settle in time, or nothing is left that could settle it; what an action throws.
   */
  async settle<T>(promise: Promise<T>, options: SettleOptions = {}): Promise<T> {
    const { what = 'what was awaited', withinMs = 3_600_000 } = options
    let settled = false
    const settle = (): void => void (settled = true)
    promise.then(settle, settle)
    await this.#pass(this.#now + withinMs, () => !settled)
    if (settled) return promise
    throw new DeadlineError(
      this.#queue.size > 0
        ? `${what} did not come within ${withinMs} ms of simulated time`
        : `${what} cannot come: nothing is left to happen after ${this.#now} ms of simulated time`,
    )
  }

  /** Lets time stand until work outside of the simulation is done, and answers with it: it takes no simulated time. */
  async outside<T>(work: Promise<T>): Promise<T> {
    this.#outside++
    try {
      return await work
    } finally {
      this.#outside--
      this.#cameBack()
    }
  }

  async #pass(untilMs: number, wanted: () => boolean): Promise<void> {
    if (this.#running) throw new ValueError('the simulated clock runs already: await one run before the next')
    this.#running = true
    const tasks = new Macrotasks()
    try {
      await tasks.next()
      while (wanted()) {
        while (this.#outside > 0) {
          await new Promise<void>((resolve) => (this.#cameBack = resolve))
          await tasks.next()
        }
        const event = this.#queue.first
        if (!event || event.at > untilMs || !wanted()) return
        this.#queue.remove(event)
        this.#now = event.at
        this.#happened++
        event.action()
        if (!event.quiet) await tasks.next()
      }
    } finally {
      this.#running = false
      tasks.close()
    }
  }
}
