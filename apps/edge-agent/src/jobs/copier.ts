// Keeps one keeper's copy of a job up to date: what is new is sent together, and again where it was lost.
import type { JobEvent } from '../history/event.ts'
import type { Entry } from './record.ts'

/** Documents, and events from a place on. */
export interface Copied {
  readonly entries: readonly Entry[]
  readonly from: number
  readonly events: readonly JobEvent[]
}

/** What a copy is sent from, and how. */
export interface CopierMeans {
  /** Answers how many events the keeper has then. */
  send(what: Copied): Promise<number>
  /** Events from a place on, as many as go well into one message. */
  readEvents(from: number): Promise<readonly JobEvent[]>
  /** How many there are. */
  eventCount(): number
}

interface Waiting {
  readonly entries: readonly Entry[]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Copies to one keeper, until something goes wrong: then a new copier begins with everything. */
export class Copier {
  readonly #means: CopierMeans
  #waiting: Waiting[]
  /** How many events the keeper has; unknown at first. */
  #events = 0
  #running = false
  #error: unknown

  /** `all`: every document that there is now. */
  constructor(means: CopierMeans, all: readonly Entry[]) {
    this.#means = means
    this.#waiting = [{ entries: all, resolve: () => {}, reject: () => {} }]
    void this.#run()
  }

  /** Did something go wrong? */
  get failed(): boolean {
    return this.#error !== undefined
  }

  /** Settles when the keeper has these documents. @throws why they could not be sent. */
  push(entries: readonly Entry[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) throw this.#error
      this.#waiting.push({ entries, resolve, reject })
      void this.#run()
    })
  }

  /** There are new events. */
  eventsAdded(): void {
    if (this.#error === undefined) void this.#run()
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      while (this.#waiting.length > 0 || this.#events < this.#means.eventCount()) {
        const turn = this.#waiting.splice(0)
        try {
          await this.#send(turn)
          for (const { resolve } of turn) resolve()
        } catch (error) {
          this.#error = error
          for (const { reject } of [...turn, ...this.#waiting.splice(0)]) reject(error)
          return
        }
      }
    } finally {
      this.#running = false
    }
  }

  async #send(turn: readonly Waiting[]): Promise<void> {
    const newest = new Map<string, Entry>()
    for (const { entries } of turn) for (const entry of entries) newest.set(entry.key, entry)
    const from = this.#events
    const events = await this.#means.readEvents(from)
    this.#events = await this.#means.send({ entries: [...newest.values()], from, events })
    // It has more than this leader: what it has of its own stays there.
    if (this.#events > this.#means.eventCount()) this.#events = this.#means.eventCount()
    else if (this.#events < from) return
    else if (this.#events === from && events.length > 0)
      throw new Error('the keeper does not take the events of this job')
  }
}
