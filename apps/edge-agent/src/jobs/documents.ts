// The documents of one job on one node: in memory, and each in a file of its own, so that a process that is killed has lost nothing that it said.
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json } from './json.ts'
import { type Entry, entrySchema } from './record.ts'

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
      if (entry) entries.set(entry.key, entry)
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

  /** Settles when nothing is being written any more. */
  settled(): Promise<void> {
    return this.#writing
  }

  async #write(entry: Entry): Promise<void> {
    // Another one may have come meanwhile, whose turn is later.
    if (this.#entries.get(entry.key) !== entry) return
    const path = join(this.#folder, `${encodeURIComponent(entry.key)}.json`)
    await writeFile(`${path}.new`, JSON.stringify(entry), { mode: 0o600 })
    await rename(`${path}.new`, path)
  }
}

async function readEntry(path: string): Promise<Entry | undefined> {
  try {
    const { success, data } = entrySchema.safeParse(JSON.parse(await readFile(path, 'utf8')))
    return success ? { ...data, value: data.value as Json } : undefined
  } catch {
    return undefined
  }
}
