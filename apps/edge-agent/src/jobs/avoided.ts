// The nodes that could not begin a task of a job a short time ago: what made them refuse is likely to be there still.
import type { Clock } from '@shoal/distributed/peers'
import { isNoRoom } from './noRoom.ts'

/** For so long a node is left alone that could not begin a task, as one whose disk is full; and one that had no room, since others were quicker. */
const avoidMs = 10_000
const avoidFullMs = 500

/** Nodes that are left alone for a while. */
export class Avoided {
  readonly #clock: Clock
  readonly #again: () => void
  readonly #timers = new Map<string, () => void>()

  /** @param again called whenever one of them may be asked again. */
  constructor(clock: Clock, again: () => void) {
    this.#clock = clock
    this.#again = again
  }

  /** Those that are to be asked for nothing now. */
  get nodes(): ReadonlySet<string> {
    return new Set(this.#timers.keys())
  }

  /** A node has refused. */
  add(node: string, error: unknown): void {
    this.#timers.get(node)?.()
    const disarm = this.#clock.after(isNoRoom(error) ? avoidFullMs : avoidMs, () => {
      this.#timers.delete(node)
      this.#again()
    })
    this.#timers.set(node, disarm)
  }

  /** Forgets all of them. */
  close(): void {
    for (const disarm of this.#timers.values()) disarm()
    this.#timers.clear()
  }
}
