// A node's one processor: what is to be computed waits for its turn, and takes its time.
import type { SimulatedClock } from './simulatedClock.ts'

/** A piece of work. */
interface Job {
  readonly begin: () => number
  readonly done: () => void
}

/** Computes one thing at a time, in the order in which it was asked to. */
export class Processor {
  readonly #clock: SimulatedClock
  #jobs: Job[] = []
  /** What is being computed, when it will be done, and how to call that off. */
  #current: { readonly job: Job; readonly endsAt: number; readonly stop: () => void } | undefined
  /** What was being computed when the processor was stopped, and how many milliseconds of it were left. */
  #suspended: { readonly job: Job; readonly ms: number } | undefined
  #stopped = false

  constructor(clock: SimulatedClock) {
    this.#clock = clock
  }

  /** Settles when it was computed. `begin` says at its turn how many milliseconds it takes. */
  compute(begin: () => number): Promise<void> {
    return new Promise((resolve) => {
      this.#jobs.push({ begin, done: resolve })
      this.#next()
    })
  }

  /** Stops in the middle of what it does. */
  stop(): void {
    this.#stopped = true
    if (!this.#current) return
    const { job, endsAt, stop } = this.#current
    stop()
    this.#current = undefined
    this.#suspended = { job, ms: endsAt - this.#clock.now() }
  }

  /** Goes on where it was stopped. */
  resume(): void {
    this.#stopped = false
    const suspended = this.#suspended
    this.#suspended = undefined
    if (suspended) this.#run(suspended.job, suspended.ms)
    else this.#next()
  }

  #next(): void {
    if (this.#stopped || this.#current) return
    const job = this.#jobs.shift()
    if (job) this.#run(job, job.begin())
  }

  #run(job: Job, ms: number): void {
    const stop = this.#clock.after(ms, () => {
      this.#current = undefined
      job.done()
      this.#next()
    })
    this.#current = { job, endsAt: this.#clock.now() + ms, stop }
  }
}
