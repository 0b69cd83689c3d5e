// Time as something that is handed over: the system's here, one that a test or a simulation moves elsewhere.

/** What waits. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number
  /** Calls `action` once, in `ms` milliseconds. The answer calls it off. */
  after(ms: number, action: () => void): () => void
}

/** The longest that a timer of the platform can wait. */
const longest = 2 ** 31 - 1

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, action) {
    const timer = setTimeout(action, Math.min(ms, longest))
    return () => clearTimeout(timer)
  },
}
