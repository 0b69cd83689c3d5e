// Time as something that is handed over: the system's here, one that a test or a simulation moves elsewhere.

/** What tells time and waits. */
export interface Clock {
  /** Milliseconds since 1970: what processes that share a study agree about. */
  now(): number
  /**
   * Calls `action` once, in `ms` milliseconds. The answer calls it off.
   * @param background the process may end without it
   */
  after(ms: number, action: () => void, background?: boolean): () => void
}

/** The clock of the machine. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, action, background = false) {
    const timer: unknown = setTimeout(action, ms)
    // Browsers have plain numbers, and no processes to keep alive.
    if (background) (timer as { unref?: () => void }).unref?.()
    return () => clearTimeout(timer as Parameters<typeof clearTimeout>[0])
  },
}
