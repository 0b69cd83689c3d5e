// Something has changed: whoever waits looks again.
import type { Clock } from '../clock.ts'

/** Wakes all that wait for it. */
export class Notice {
  #waiting = Promise.withResolvers<void>()

  /** Settles when notice is given the next time. */
  next(): Promise<void> {
    return this.#waiting.promise
  }
  /** Gives notice. */
  give(): void {
    this.#waiting.resolve()
    this.#waiting = Promise.withResolvers()
  }
}

/** Settles with the next notice, after so many milliseconds, or when the signal is aborted, whichever is first. */
export function noticeOrTimer(notice: Notice, ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const disarm = clock.after(ms, () => done())
    const done = (): void => {
      disarm()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done, { once: true })
    if (signal?.aborted) done()
    void notice.next().then(done)
  })
}
