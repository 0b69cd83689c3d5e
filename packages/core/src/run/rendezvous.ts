// Where a sent tensor waits for its reader: a producer never blocks, a consumer may ask before or after, the first error ends it everywhere.
import { ClosedError } from '../errors.ts'
import type { NDArray } from '../ndarray.ts'
import type { Awaitable } from './device.ts'

/** One instance a run; a key is used once. */
export interface Rendezvous {
  /** Never blocks. */
  send(key: string, value: NDArray): void
  /** May be called before or after the send. */
  recv(key: string, signal?: AbortSignal): Awaitable<NDArray>
  /** Fails every waiting and future recv. Only the first reason counts. */
  abort(reason: Error): void
  /** Why it was aborted, if it was. */
  readonly reason: Error | undefined
}

interface Waiter {
  resolve(value: NDArray): void
  reject(reason: Error): void
}

/** A rendezvous within one process. */
export class LocalRendezvous implements Rendezvous {
  private readonly values = new Map<string, NDArray>()
  private readonly waiters = new Map<string, Waiter>()
  reason: Error | undefined

  send(key: string, value: NDArray): void {
    const waiter = this.waiters.get(key)
    this.waiters.delete(key)
    if (waiter) waiter.resolve(value)
    else this.values.set(key, value)
  }

  recv(key: string, signal?: AbortSignal): Awaitable<NDArray> {
    const value = this.values.get(key)
    if (value) {
      this.values.delete(key)
      return value
    }
    if (this.reason) throw this.reason
    signal?.throwIfAborted()
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.waiters.delete(key)
        reject(signal!.reason as Error)
      }
      signal?.addEventListener('abort', stop, { once: true })
      const settle =
        <T>(end: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener('abort', stop)
          end(value)
        }
      this.waiters.set(key, { resolve: settle(resolve), reject: settle(reject) })
    })
  }

  abort(reason: Error): void {
    this.reason ??= reason ?? new ClosedError('the run was aborted')
    const waiting = [...this.waiters.values()]
    this.waiters.clear()
    for (const waiter of waiting) waiter.reject(this.reason)
  }
}
