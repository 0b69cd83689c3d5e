// Leases by the clock of whoever looks: machines without a clock of their own do not agree what time it is, but all know how long a second is.
import type { Clock, TrialRecord } from '@shoal/tune'

/** When a lease was first seen here, and what it said then: when it is renewed it says something else. */
interface Seen {
  readonly mark: string
  readonly at: number
}

/** The leases of a study's trials, as one process has seen them come and be renewed. */
export class SeenLeases {
  readonly #clock: Pick<Clock, 'now'>
  readonly #leaseMs: number
  readonly #seen = new Map<number, Seen>()

  constructor({ clock, leaseMs }: { readonly clock: Pick<Clock, 'now'>; readonly leaseMs: number }) {
    this.#clock = clock
    this.#leaseMs = leaseMs
  }

  /**
   * The trials with the ends of their leases by this process's clock: a lease that says what it said so long ago is over. What the clocks of
   * others say counts for nothing.
   */
  asSeenHere(trials: readonly TrialRecord[]): readonly TrialRecord[] {
    return trials.map((trial) =>
      trial.state === 'running' ? { ...trial, leaseEnd: this.#seenAt(trial) + this.#leaseMs } : trial,
    )
  }

  #seenAt({ number, attempt, leaseEnd }: TrialRecord): number {
    const mark = `${attempt} ${leaseEnd}`
    const known = this.#seen.get(number)
    if (known?.mark === mark) return known.at
    const at = this.#clock.now()
    this.#seen.set(number, { mark, at })
    return at
  }
}
