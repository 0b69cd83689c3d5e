// Keeps one keeper's copy of a job up to date: what is new is sent together, and again where it was lost.
import type { JobEvent } from '../history/event.ts'
import type { Entry } from './record.ts'

/** Documents, and events from a place on. */
export interface Copied {
  readonly entries: readonly Entry[]
  readonly from: number
  readonly events: readonly JobEvent[]
  /** The keeper is to forget the events that it has: they are not those of this leader. */
  readonly reset: boolean
}

/** Where to begin: behind the events that the keeper has as well. */
export type Beginning = Pick<Copied, 'from' | 'reset'>

/** What a copy is sent from, and how. */
export interface CopierMeans {
  /** Looks which events the keeper has. */
  begin(): Promise<Beginning>
  /** Answers how many events the keeper has then. */
  send(what: Copied): Promise<number>
  /** Events from a place on, as many as go well into one message. */
  readEvents(from: number): Promise<readonly JobEvent[]>
  /** How many there are. */
  eventCount(): number
}

interface Waiting {
  readonly entries: readonly Entry[]
  /** So many events are to be there before: whoever reads in a document that the job is over can read the same in its history. */
  readonly events: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Copies to one keeper, until something goes wrong: then a new copier begins with everything. */
export class Copier {
  readonly #means: CopierMeans
  #waiting: readonly Waiting[]
  /** How many events the keeper has; unknown at first. */
  #events: number | undefined
  #running = false
  #error: unknown

  /** `all`: every document that there is now. */
  constructor(means: CopierMeans, all: readonly Entry[]) {
    this.#means = means
    this.#waiting = [{ entries: all, events: means.eventCount(), resolve: () => {}, reject: () => {} }]
    void this.#run()
  }

  /** Did something go wrong? */
  get failed(): boolean {
    return this.#error !== undefined
  }

  /** Settles when the keeper has these documents, and all events that there are now. @throws why they could not be sent. */
  push(entries: readonly Entry[]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) throw this.#error
      this.#waiting = [...this.#waiting, { entries, events: this.#means.eventCount(), resolve, reject }]
      void this.#run()
    })
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      let { from, reset } =
        this.#events === undefined ? await this.#means.begin() : { from: this.#events, reset: false }
      while (this.#waiting.length > 0 || from < this.#means.eventCount()) {
        from = await this.#send({ from, reset })
        this.#events = from
        reset = false
      }
    } catch (error) {
      this.#error = error
      for (const { reject } of this.#waiting) reject(error)
      this.#waiting = []
    } finally {
      this.#running = false
    }
  }

  /** Sends events, and the documents whose turn it is then. Answers how many events the keeper has. */
  async #send({ from, reset }: Beginning): Promise<number> {
    const events = await this.#means.readEvents(from)
    const count = from + events.length
    const turn = this.#waiting.filter((each) => each.events <= count)
    if (turn.length === 0 && events.length === 0) throw new Error('the history of this job is damaged here')
    const newest = new Map<string, Entry>()
    for (const { entries } of turn) for (const entry of entries) newest.set(entry.key, entry)
    const there = await this.#means.send({ entries: [...newest.values()], from, events, reset })
    if (there !== count) throw new Error('the keeper does not take the events of this job')
    this.#waiting = this.#waiting.filter((each) => !turn.includes(each))
    for (const { resolve } of turn) resolve()
    return count
  }
}
