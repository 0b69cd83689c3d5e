// The documents of one job on one node: in memory, and each in a file of its own, so that a process that is killed has lost nothing that it said.
import { createHash } from 'node:crypto'
import { mkdir, open, readFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from './json.ts'
import { type Entry, entrySchema, recordKey } from './record.ts'

/** Documents by their keys. */
export class Documents {
  readonly #folder: string
  readonly #entries: Map<string, Entry>
  /** Files are written one after the other. */
  #writing: Promise<void> = Promise.resolve()

  private constructor(folder: string, entries: Map<string, Entry>) {
    this.#folder = folder
    this.#entries = entries
  }

  /** Those of a folder, which is made where there is none. What was being written when the process died is not there. */
  static async open(folder: string): Promise<Documents> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const entries = new Map<string, Entry>()
    for (const name of await readdir(folder)) {
      const path = join(folder, name)
      const entry = name.endsWith('.json') ? await readEntry(path) : undefined
      if (entry && name === fileOf(entry.key)) entries.set(entry.key, entry)
      else await rm(path, { force: true })
    }
    return new Documents(folder, entries)
  }

  /** All of them. */
  get all(): readonly Entry[] {
    return [...this.#entries.values()]
  }

  /** The highest version of all; 0 where there is none. */
  get version(): number {
    return Math.max(0, ...this.all.map(({ version }) => version))
  }

  /** Characters of all of them but one, as JSON. */
  sizeWithout(key: string): number {
    return this.all.reduce(
      (sum, entry) => sum + (entry.key === key ? 0 : JSON.stringify(entry.value).length),
      0,
    )
  }

  /** The document of a key. */
  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** Takes those that are newer than what is here. Settles when they are in files. @throws what the file system throws: then they are in memory alone. */
  put(entries: readonly Entry[]): Promise<void> {
    const newer = entries.filter(({ key, version }) => version > (this.#entries.get(key)?.version ?? 0))
    for (const entry of newer) this.#entries.set(entry.key, entry)
    const written = this.#writing.then(async () => {
      for (const entry of newer) await this.#write(entry)
    })
    this.#writing = written.catch(() => undefined)
    return written
  }

  /**
   * Forgets all that is here for these, whatever the versions: another leader's, whose word counts. Settles when they are in files, the job itself last:
   * whoever dies before that is told all again.
   */
  replace(entries: readonly Entry[]): Promise<void> {
    const gone = [...this.#entries.keys()].filter((key) => !entries.some((entry) => entry.key === key))
    for (const key of gone) this.#entries.delete(key)
    for (const entry of entries) this.#entries.set(entry.key, entry)
    const isJob = ({ key }: Entry): boolean => key === recordKey
    const written = this.#writing.then(async () => {
      for (const key of gone)
        if (!this.#entries.has(key)) await rm(join(this.#folder, fileOf(key)), { force: true })
      for (const entry of entries.toSorted((a, b) => Number(isJob(a)) - Number(isJob(b))))
        await this.#write(entry)
    })
    this.#writing = written.catch(() => undefined)
    return written
  }

  /** Settles when nothing is being written any more. */
  settled(): Promise<void> {
    return this.#writing
  }

  async #write(entry: Entry): Promise<void> {
    // Another one may have come meanwhile, whose turn is later.
    if (this.#entries.get(entry.key) !== entry) return
    const path = join(this.#folder, fileOf(entry.key))
    const file = await open(`${path}.new`, 'w', 0o600)
    try {
      await file.writeFile(JSON.stringify(entry))
      // A file system may write the name before what it names.
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${path}.new`, path)
  }
}

/** Of any key there is a name that any file system takes: not too long, and no other by upper and lower case. The key itself is in the file. */
const fileOf = (key: string): string =>
  `${createHash('sha256').update(JSON.stringify(key)).digest('hex')}.json`

async function readEntry(path: string): Promise<Entry | undefined> {
  try {
    const { success, data } = entrySchema.safeParse(JSON.parse(await readFile(path, 'utf8')))
    return success ? { ...data, value: data.value as Json } : undefined
  } catch {
    return undefined
  }
}
