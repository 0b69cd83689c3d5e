// What happened to a job, on the disk: events by number, from 0, added at the end, read from anywhere, and waited for.
import { ClosedError, ValueError } from '@shoal/core'
import { type Clock, systemClock } from '@shoal/distributed/peers'
import { z } from 'zod'
import type { Disk } from '../blobs/disk.ts'
import { type JobEvent, jobEventSchema } from './event.ts'
import { eventOf, historyFormat } from './format.ts'
import { Journal } from './journal.ts'

/** How a log is kept. */
export interface EventLogOptions {
  /** Told in words what was repaired, and what cannot be read. */
  readonly log: (line: string) => void
  /** Default: the system's. */
  readonly clock?: Clock
  /** Default: that of this machine. */
  readonly disk?: Disk
  /** Told what was added, once it is there. Default: nobody. */
  readonly added?: (events: readonly JobEvent[]) => void
}

/** How much is read at once. */
export interface ReadBounds {
  /** The most events. Default 1000. */
  readonly most?: number
  /** The most bytes as JSON, but for a single event that has more. Default 512 KiB. */
  readonly mostBytes?: number
}

/** How to wait for events. */
export interface TailOptions extends ReadBounds {
  /** Milliseconds after which the answer may be empty. */
  readonly deadlineMs: number
  readonly signal?: AbortSignal | undefined
}

/** Events, and where to go on. */
export interface EventsRead {
  readonly events: readonly JobEvent[]
  /** The number of the first that was not looked at. Higher than `from` and the events where lines could not be read. */
  readonly next: number
}

/** Events that come often and of which the last second may be lost with the machine's power, though not with the process. */
const lazyKinds: ReadonlySet<JobEvent['kind']> = new Set(['metrics', 'log'])
const lazyMs = 1000

/** The position of every so many-th event is remembered. */
const between = 256

/** The events of one job. One object writes it; others may read the file. */
export class EventLog implements AsyncDisposable {
  readonly #journal: Journal
  readonly #log: (line: string) => void
  readonly #clock: Clock
  readonly #added: (events: readonly JobEvent[]) => void
  /** Positions of the events 0, `between`, 2 · `between`… */
  readonly #marks: number[]
  #length: number
  /** Who waits, and for which event. */
  readonly #waiting = new Map<() => void, number>()
  /** Calls off the flush that is to come. */
  #disarm: (() => void) | undefined
  #closed = false

  private constructor(
    journal: Journal,
    known: { readonly marks: number[]; readonly length: number },
    { log, clock = systemClock, added = () => {} }: EventLogOptions,
  ) {
    this.#journal = journal
    this.#marks = known.marks
    this.#length = known.length
    this.#log = log
    this.#clock = clock
    this.#added = added
  }

  /** Opens the log at `path`, or begins it. @throws JournalError where it is another file, or of a newer version; StorageFullError. */
  static async open(path: string, options: EventLogOptions): Promise<EventLog> {
    const marks: number[] = []
    let length = 0
    const journal = await Journal.open(path, historyFormat, {
      ...options,
      each: ({ at }) => {
        if (length++ % between === 0) marks.push(at)
      },
    })
    return new EventLog(journal, { marks, length }, options)
  }

  /** How many events there are. */
  get length(): number {
    return this.#length
  }

  /**
   * Adds events at the end. Settles when this process may die without harm to them; the disk has metrics and output within a second,
   * and all others, with whatever came before them, at once.
   * @throws ValueError for an event that could not be read again, as one with a NaN; StorageFullError; ClosedError. Then none of them is added.
   */
  async append(events: readonly JobEvent[]): Promise<void> {
    if (events.length === 0) return
    const lines = events.map((event) => JSON.stringify(checked(event)))
    const sync = events.some(({ kind }) => !lazyKinds.has(kind))
    let position = await this.#journal.append(lines, { sync })
    for (const line of lines) {
      if (this.#length++ % between === 0) this.#marks.push(position)
      position += Buffer.byteLength(line) + 1
    }
    this.#plan(sync)
    for (const [wake, from] of this.#waiting) if (from < this.#length) wake()
    this.#added(events)
  }

  /**
   * The events from a number on, as many as the bounds allow. Lines that cannot be read are passed over, and the log is told.
   * @throws ClosedError.
   */
  async read(from: number, { most = 1000, mostBytes = 2 ** 19 }: ReadBounds = {}): Promise<EventsRead> {
    if (this.#closed) throw new ClosedError(`${this.#journal.path} was closed`)
    const events: JobEvent[] = []
    const start = Math.floor(from / between)
    if (from >= this.#length || most <= 0) return { events, next: Math.min(from, this.#length) }
    let number = start * between
    let bytes = 0
    const end = this.#length
    for await (const line of this.#journal.lines(this.#marks[start]!)) {
      if (number >= end || events.length >= most) break
      if (number >= from) {
        bytes += line.next - line.at
        if (bytes > mostBytes && events.length > 0) break
        const event = eventOf(line)
        if (event) events.push(event)
        else
          this.#log(
            `${this.#journal.path}: event ${number} is damaged, or of a newer version: it is left out`,
          )
      }
      number++
    }
    return { events, next: number }
  }

  /**
   * As `read`, but waits for an event where there is none yet. Answers none when time is over, or the log was closed.
   * @throws the reason of the signal, ClosedError where it was closed before.
   */
  async tail(from: number, options: TailOptions): Promise<EventsRead> {
    options.signal?.throwIfAborted()
    if (from >= this.#length && !this.#closed) {
      await this.#grown(from, options)
      if (from >= this.#length) return { events: [], next: from }
    }
    return this.read(from, options)
  }

  /** Ends it: the disk has everything then, and nobody waits any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#disarm?.()
    this.#disarm = undefined
    for (const wake of this.#waiting.keys()) wake()
    await this.#journal[Symbol.asyncDispose]()
  }

  /** Sees to it that what was written is flushed. */
  #plan(synced: boolean): void {
    if (synced) {
      this.#disarm?.()
      this.#disarm = undefined
    } else if (!this.#closed) {
      this.#disarm ??= this.#clock.after(lazyMs, () => {
        this.#disarm = undefined
        this.#journal.sync().catch((error: unknown) => this.#log(`${this.#journal.path}: ${String(error)}`))
      })
    }
  }

  #grown(from: number, { deadlineMs, signal }: TailOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        this.#waiting.delete(settle)
        disarm()
        signal?.removeEventListener('abort', settle)
        if (signal?.aborted) reject(signal.reason as Error)
        else resolve()
      }
      const disarm = this.#clock.after(deadlineMs, settle)
      this.#waiting.set(settle, from)
      signal?.addEventListener('abort', settle, { once: true })
    })
  }
}

/** @throws ValueError where the event could not be read again. */
function checked(event: JobEvent): JobEvent {
  const result = jobEventSchema.safeParse(event)
  if (result.success) return event
  throw new ValueError(`an event of kind '${event.kind}' cannot be kept: ${z.prettifyError(result.error)}`)
}
