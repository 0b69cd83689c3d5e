// A lock that one run holds at a time, given to those who wait in the order in which they came.
import { RunError } from '../errors.ts'

/** Who holds a lock: any object, compared by identity. */
type Holder = object

/** A mutual exclusion lock. Waits end when their signal is aborted. */
export class MutexState {
  private readonly name: string
  private holder: Holder | undefined
  private readonly line: { readonly holder: Holder; grant(): void }[] = []

  constructor(name: string) {
    this.name = name
  }
  /** Does anyone hold it? */
  get isLocked(): boolean {
    return this.holder !== undefined
  }

  /** Waits for the lock. @throws the reason of `signal` when it is aborted. */
  async lock(holder: Holder, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (!this.holder) {
      this.holder = holder
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const place = { holder, grant: resolve }
    const stop = (): void => {
      const at = this.line.indexOf(place)
      // Once granted, the lock is the holder's to release.
      if (at < 0) return
      this.line.splice(at, 1)
      reject(signal!.reason)
    }
    signal?.addEventListener('abort', stop, { once: true })
    this.line.push(place)
    try {
      await promise
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  /** Gives the lock to the next in line. @throws RunError when `holder` does not hold it. */
  unlock(holder: Holder): void {
    if (!this.release(holder))
      throw new RunError(
        `mutex '${this.name}' is not locked by this run: unlock after lock, and once for each`,
      )
  }

  /** As `unlock`, but does nothing when `holder` does not hold it; answers whether it did. */
  release(holder: Holder): boolean {
    if (this.holder !== holder) return false
    const next = this.line.shift()
    this.holder = next?.holder
    next?.grant()
    return true
  }
}
