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
export async function noticeOrTimer(
  notice: Notice,
  ms: number,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  const other = Promise.withResolvers<void>()
  const disarm = clock.after(ms, other.resolve)
  const stop = (): void => other.resolve()
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  await Promise.race([notice.next(), other.promise])
  disarm()
  signal?.removeEventListener('abort', stop)
}
