// One node's copy of a job: its documents and its history.
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { EventLog } from '../history/eventLog.ts'
import { historyPath } from '../history/format.ts'
import type { Copied } from './copier.ts'
import { Documents } from './documents.ts'
import { type Entry, type JobRecord, recordKey, recordSchema } from './record.ts'

/** Opens the history in a file. */
export type OpenLog = (path: string) => Promise<EventLog>

/** A copy of a job, in a folder of its own. */
export class Replica {
  readonly id: string
  readonly documents: Documents
  readonly #path: string
  readonly #openLog: OpenLog
  #log: EventLog
  #read: { readonly entry: Entry; readonly record: JobRecord | undefined } | undefined

  private constructor(id: string, documents: Documents, log: EventLog, path: string, openLog: OpenLog) {
    this.id = id
    this.documents = documents
    this.#log = log
    this.#path = path
    this.#openLog = openLog
  }

  /** The copy in a folder, or a new one. */
  static async open(folder: string, id: string, openLog: OpenLog): Promise<Replica> {
    const documents = await Documents.open(join(folder, id, 'documents'))
    const path = historyPath(folder, id)
    return new Replica(id, documents, await openLog(path), path, openLog)
  }

  /** Its history. */
  get log(): EventLog {
    return this.#log
  }

  /** The job itself; undefined until a copy of it has come, and where another version of the program has written what this one does not know. */
  get record(): JobRecord | undefined {
    const entry = this.documents.get(recordKey)
    if (!entry) return undefined
    if (this.#read?.entry !== entry) this.#read = { entry, record: recordSchema.safeParse(entry.value).data }
    return this.#read.record
  }

  /**
   * Takes what a leader sends: events where they fit on, and then documents that are newer. The first that comes from a leader is all that it has, and
   * takes the place of what another one had, whose versions may be higher. Answers how many events there are.
   */
  async take(
    { term, leader }: Pick<JobRecord, 'term' | 'leader'>,
    { entries, from, events, reset }: Copied,
  ): Promise<number> {
    if (reset) await this.forgetEvents()
    const known = this.log.length
    if (from <= known) await this.log.append(events.slice(known - from))
    const count = this.log.length
    const { record } = this
    const isOthers = record && (record.term !== term || record.leader !== leader)
    // Events alone may come first; with the job itself comes all that there is.
    const isAll = entries.some(({ key }) => key === recordKey)
    await (isOthers && isAll ? this.documents.replace(entries) : this.documents.put(entries))
    return count
  }

  /** Forgets its history: that of the job went another way. */
  async forgetEvents(): Promise<void> {
    await this.#log[Symbol.asyncDispose]()
    await rm(this.#path, { force: true })
    this.#log = await this.#openLog(this.#path)
  }

  /** What tells the first so many events from any others. */
  async digest(count: number): Promise<string> {
    const hash = createHash('sha256')
    for (let from = 0; from < count; ) {
      const { events, next } = await this.log.read(from, { most: Math.min(1000, count - from) })
      for (const event of events) hash.update(`${JSON.stringify(event)}\n`)
      from = next
    }
    return hash.digest('hex')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.documents.settled()
    await this.log[Symbol.asyncDispose]()
  }
}
