// A clock for tests on which waiting takes no time: each wait moves it, one after the other, as soon as nothing else is to be done.
import type { Clock } from '../../clock.ts'

/** Time that passes only by being waited for, or by being told to. */
export class QuickClock implements Clock {
  /** Milliseconds of all waits so far, in order. */
  readonly waits: number[] = []
  private ms = 0

  now(): number {
    return this.ms
  }
  after(ms: number, action: () => void): () => void {
    this.waits.push(ms)
    const at = this.ms + ms
    const turn = setImmediate(() => {
      this.ms = Math.max(this.ms, at)
      action()
    })
    return () => clearImmediate(turn)
  }
  /** Lets time pass. */
  advance(ms: number): void {
    this.ms += ms
  }
}
