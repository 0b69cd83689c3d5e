// Pauses between attempts: each longer than the one before, and none exactly as long as anybody else's.
import { asError } from '../errors.ts'
import type { Clock } from '../clock.ts'

/** How long pauses are. */
export interface BackoffOptions {
  /** Milliseconds of the first one. */
  readonly firstMs: number
  /** Milliseconds of the longest. */
  readonly mostMs: number
  /** Numbers from 0 to 1, for a fifth more or less. */
  readonly random: () => number
}

/** Each pause is 1.6 times the one before, give or take a fifth. */
export class Backoff {
  private readonly options: BackoffOptions
  private ms: number

  constructor(options: BackoffOptions) {
    this.options = options
    this.ms = options.firstMs
  }

  /** Milliseconds of the next pause. */
  next(): number {
    const { mostMs, random } = this.options
    const ms = this.ms * (0.8 + 0.4 * random())
    this.ms = Math.min(mostMs, this.ms * 1.6)
    return Math.min(mostMs, ms)
  }

  /** Begins anew, after a success. */
  reset(): void {
    this.ms = this.options.firstMs
  }
}

/** Waits. @throws the reason of the signal once it aborts. */
export function pause(ms: number, clock: Clock, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      disarm()
      reject(asError(signal?.reason))
    }
    const disarm = clock.after(ms, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}
