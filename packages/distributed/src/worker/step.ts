// One step on one worker: where its tensors wait for their readers, here and on other workers.
import type { Awaitable, NDArray, Rendezvous } from '@shoal/core'
import { LocalRendezvous } from '@shoal/core'

/** Fetches a tensor of this step from the worker that makes it. */
export type Receive = (key: string, signal: AbortSignal) => Promise<NDArray>

/** The rendezvous of a step: what comes from elsewhere is asked for as soon as the step begins here. */
export class Step implements Rendezvous {
  private readonly local = new LocalRendezvous()
  private readonly remote = new Map<string, Promise<NDArray>>()
  private readonly ended = new AbortController()
  /** Tensors that were sent and not yet taken. */
  private waiting = 0
  /** Tensors of other workers that are on their way. */
  private awaited = 0
  private drained: (() => void) | undefined

  /** Asks for what this worker will need of others. */
  begin(keys: readonly string[], receive: Receive): void {
    for (const key of keys) {
      const coming = receive(key, this.ended.signal)
      this.awaited++
      // Whoever reads it hears of a failure; nobody may come to read it.
      const ended = (): void => void this.awaited--
      coming.then(ended, ended)
      this.remote.set(key, coming)
    }
  }

  /** Is anything on its way, here or from here? */
  get isBusy(): boolean {
    return this.waiting > 0 || this.awaited > 0
  }

  send(key: string, value: NDArray): void {
    this.waiting++
    this.local.send(key, value)
  }

  recv(key: string, signal?: AbortSignal): Awaitable<NDArray> {
    const coming = this.remote.get(key)
    if (coming) return coming
    const value = this.local.recv(key, signal)
    if (!(value instanceof Promise)) return this.taken(value)
    return value.then((late) => this.taken(late))
  }

  /** Calls `done` when everything that was sent has been taken. */
  whenDrained(done: () => void): void {
    if (this.waiting === 0) done()
    else this.drained = done
  }

  abort(reason: Error): void {
    this.local.abort(reason)
    this.ended.abort(this.local.reason)
  }

  get reason(): Error | undefined {
    return this.local.reason
  }

  private taken(value: NDArray): NDArray {
    this.waiting--
    if (this.waiting === 0) this.drained?.()
    return value
  }
}
