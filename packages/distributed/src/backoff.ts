// Pauses between attempts: each longer than the one before, and none exactly as long as anybody else's.
import { asError, SecurityError } from './errors.ts'
import type { Clock } from './clock.ts'

/** How long pauses are. */
export interface BackoffOptions {
  /** Milliseconds of the first one. Default 100. */
  readonly firstMs?: number
  /** Milliseconds of the longest. Default 2000. */
  readonly mostMs?: number
  /** Numbers from 0 to 1, for a fifth more or less. */
  readonly random: () => number
}

/** Each pause is 1.6 times the one before, give or take a fifth. */
export class Backoff {
  private readonly options: Required<BackoffOptions>
  private ms: number

  constructor({ firstMs = 100, mostMs = 2000, random }: BackoffOptions) {
    this.options = { firstMs, mostMs, random }
    this.ms = firstMs
  }

  /** Milliseconds of the next pause. */
  next(): number {
    const { mostMs, random } = this.options
    const ms = jittered(this.ms, 0.2, random)
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

/** A time, give or take a part of it. */
export const jittered = (ms: number, part: number, random: () => number): number =>
  ms * (1 + part * (2 * random() - 1))

/** How long to go on trying. */
export interface PersistOptions {
  /** Milliseconds from now until the last attempt has failed. */
  readonly deadlineMs: number
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  /** Default: `Math.random`. */
  readonly random?: () => number
}

/** Milliseconds that one attempt may take. */
const attemptMs = 5000

/** What comes of work, or the reason of the signal as soon as that aborts: the work may go on for others. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work
  const aborted = Promise.withResolvers<never>()
  const stop = (): void => aborted.reject(asError(signal.reason))
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/**
 * Tries again and again, with pauses between: others may start later than this one.
 * @param attempt is told in how many milliseconds it has to be done. Nobody waits for it once the signal has aborted.
 * @param failed makes the error of the end of what the last attempt threw.
 * @throws SecurityError at once, the reason of the signal, what `failed` answers when time is over.
 */
export async function persist<T>(
  attempt: (leftMs: number) => Promise<T>,
  failed: (error: Error) => Error,
  { deadlineMs, clock, signal, random = Math.random }: PersistOptions,
): Promise<T> {
  const until = clock.now() + deadlineMs
  const backoff = new Backoff({ random })
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await unlessAborted(attempt(Math.min(attemptMs, Math.max(1, until - clock.now()))), signal)
    } catch (thrown) {
      const error = asError(thrown)
      if (error instanceof SecurityError || signal?.aborted) throw error
      const ms = backoff.next()
      if (clock.now() + ms >= until) throw failed(error)
      await pause(ms, clock, signal)
    }
  }
}
