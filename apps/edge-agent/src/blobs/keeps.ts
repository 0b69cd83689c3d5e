// For whom which blobs are kept, remembered over restarts: as long as there is anybody, a blob is not dropped to make room.
import { rename, rm } from 'node:fs/promises'
import { z } from 'zod'
import { Journal, type JournalFormat, parsed } from '../history/journal.ts'
import type { Line } from '../history/lines.ts'
import type { Disk } from './disk.ts'
import { StorageFullError } from './errors.ts'
import { hashSchema } from './hash.ts'

/** How it is kept. */
export interface KeepsOptions {
  readonly log: (line: string) => void
  readonly disk: Disk
}

const format: JournalFormat = { format: 'shoal-kept-blobs', version: 1 }

const entrySchema = z.union([
  z.object({ keep: hashSchema, for: z.string() }),
  z.object({ release: z.string() }),
])
type Entry = z.infer<typeof entrySchema>

/** Written anew when it is this much longer than it need be. */
const spareLines = 1000

/** Who keeps what. */
export class Keeps implements AsyncDisposable {
  readonly #byHolder = new Map<string, Set<string>>()
  /** How many keep each. */
  readonly #holders = new Map<string, number>()
  readonly #log: (line: string) => void
  #journal: Journal

  private constructor(journal: Journal, lines: readonly Line[], log: (line: string) => void) {
    this.#journal = journal
    this.#log = log
    for (const { text } of lines) {
      const entry = entrySchema.safeParse(text === undefined ? undefined : parsed(text))
      if (entry.success) this.#apply(entry.data)
      else log(`${journal.path}: a damaged line was passed over`)
    }
  }

  /** Reads what is remembered at `path`. @throws JournalError where another file, or that of a newer version, is there. */
  static async open(path: string, options: KeepsOptions): Promise<Keeps> {
    const lines: Line[] = []
    const journal = await Journal.open(path, format, { ...options, each: (line) => lines.push(line) })
    const keeps = new Keeps(journal, lines, options.log)
    if (lines.length > keeps.#entries().length + spareLines) await keeps.#shorten(options)
    return keeps
  }

  /** Is a blob kept for anybody? */
  has(hash: string): boolean {
    return this.#holders.has(hash)
  }

  /** Keeps a blob, there or not yet, for somebody. Settles when that is remembered. @throws StorageFullError. */
  async keep(hash: string, holder: string): Promise<void> {
    if (this.#apply({ keep: hash, for: holder })) await this.#write({ keep: hash, for: holder })
  }

  /** Keeps nothing for somebody any more. */
  async release(holder: string): Promise<void> {
    if (!this.#apply({ release: holder })) return
    try {
      await this.#write({ release: holder })
    } catch (error) {
      if (!(error instanceof StorageFullError)) throw error
      // To release is how a full disk gets room again: it must not fail for want of it.
      this.#log(
        `that nothing is kept for '${holder}' any more could not be written, and is forgotten at the next start: ${error.message}`,
      )
    }
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#journal[Symbol.asyncDispose]()
  }

  #write(entry: Entry): Promise<number> {
    return this.#journal.append([JSON.stringify(entry)], { sync: true })
  }

  /** Answers whether anything has changed by it. */
  #apply(entry: Entry): boolean {
    if ('keep' in entry) {
      const hashes = this.#byHolder.get(entry.for) ?? new Set()
      if (hashes.has(entry.keep)) return false
      this.#byHolder.set(entry.for, hashes.add(entry.keep))
      this.#holders.set(entry.keep, (this.#holders.get(entry.keep) ?? 0) + 1)
      return true
    }
    for (const hash of this.#byHolder.get(entry.release) ?? []) {
      const left = this.#holders.get(hash)! - 1
      if (left > 0) this.#holders.set(hash, left)
      else this.#holders.delete(hash)
    }
    return this.#byHolder.delete(entry.release)
  }

  #entries(): readonly Entry[] {
    return [...this.#byHolder].flatMap(([holder, hashes]) =>
      [...hashes].map((keep) => ({ keep, for: holder })),
    )
  }

  async #shorten(options: KeepsOptions): Promise<void> {
    const { path } = this.#journal
    const draft = `${path}.draft`
    await rm(draft, { force: true })
    const journal = await Journal.open(draft, format, options)
    await journal.append(
      this.#entries().map((entry) => JSON.stringify(entry)),
      { sync: true },
    )
    await journal[Symbol.asyncDispose]()
    await this.#journal[Symbol.asyncDispose]()
    await rename(draft, path)
    this.#journal = await Journal.open(path, format, options)
  }
}
