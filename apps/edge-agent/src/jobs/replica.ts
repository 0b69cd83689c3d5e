// One node's copy of a job: its documents and its history.
import { join } from 'node:path'
import type { EventLog } from '../history/eventLog.ts'
import type { JobEvent } from '../history/event.ts'
import { historyPath } from '../history/format.ts'
import { Documents } from './documents.ts'
import { type Entry, type JobRecord, recordKey, recordSchema, type Version } from './record.ts'

/** Opens the history in a file. */
export type OpenLog = (path: string) => Promise<EventLog>

/** A copy of a job, in a folder of its own. */
export class Replica {
  readonly id: string
  readonly documents: Documents
  readonly log: EventLog
  #read: { readonly version: Version; readonly record: JobRecord } | undefined

  private constructor(id: string, documents: Documents, log: EventLog) {
    this.id = id
    this.documents = documents
    this.log = log
  }

  /** The copy in a folder, or a new one. */
  static async open(folder: string, id: string, openLog: OpenLog): Promise<Replica> {
    const documents = await Documents.open(join(folder, id, 'documents'))
    return new Replica(id, documents, await openLog(historyPath(folder, id)))
  }

  /** The job itself; undefined until a copy of it has come. */
  get record(): JobRecord | undefined {
    const entry = this.documents.get(recordKey)
    if (!entry) return undefined
    if (this.#read?.version !== entry.version)
      this.#read = { version: entry.version, record: recordSchema.parse(entry.value) }
    return this.#read.record
  }

  /** Takes what a leader sends: documents that are newer, and events where they fit on. Answers how many events there are. */
  async take(entries: readonly Entry[], from: number, events: readonly JobEvent[]): Promise<number> {
    await this.documents.put(entries)
    const known = this.log.length
    if (from <= known) await this.log.append(events.slice(known - from))
    return this.log.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.documents.settled()
    await this.log[Symbol.asyncDispose]()
  }
}
