// The history of a job under its leader: what is told is on another node before anybody hears of it, and of each trial's end it tells once.
import type { JobEvent } from '../history/event.ts'
import type { Copies } from './copies.ts'
import type { Entry } from './record.ts'
import type { Replica } from './replica.ts'

/** Writes the history of one job. */
export class JobHistory {
  readonly #replica: Replica
  readonly #copies: Pick<Copies, 'keep'>
  /** So many events are on another node, where there is one. */
  #kept = 0
  /** The trials of which it was told that they have ended. */
  readonly #trials = new Set<number>()

  constructor(replica: Replica, copies: Pick<Copies, 'keep'>) {
    this.#replica = replica
    this.#copies = copies
  }

  /** Reads which trials have ended under leaders before. */
  async recall(): Promise<void> {
    const { log } = this.#replica
    for (let from = 0; from < log.length; ) {
      const { events, next } = await log.read(from)
      this.#fresh(events)
      from = next
    }
  }

  /** Adds events, here alone as yet. @throws what the file system throws: then none of them was added. */
  async append(events: readonly JobEvent[]): Promise<void> {
    const fresh = this.#fresh(events)
    try {
      await this.#replica.log.append(fresh)
    } catch (error) {
      for (const event of fresh) if (event.kind === 'trialEnded') this.#trials.delete(event.trial)
      throw error
    }
  }

  /** Keeps documents and all events that there are; settles when another node has them, where there is one. @throws as `Copies.keep`. */
  async keep(entries: readonly Entry[]): Promise<void> {
    const count = this.#replica.log.length
    await this.#copies.keep(entries)
    this.#kept = Math.max(this.#kept, count)
  }

  /** Settles when another node has the first so many events, where there is one. */
  async keepEvents(count: number): Promise<void> {
    if (count > this.#kept) await this.keep([])
  }

  /** Whoever had no answer says it again, perhaps to the next leader. */
  #fresh(events: readonly JobEvent[]): readonly JobEvent[] {
    return events.filter((event) => {
      if (event.kind !== 'trialEnded') return true
      const isNew = !this.#trials.has(event.trial)
      this.#trials.add(event.trial)
      return isNew
    })
  }
}
