// Studies in a file of SQLite: they outlast their processes, and several processes may work on one at the same time.
import { DatabaseSync } from 'node:sqlite'
import { NotFoundError } from '@shoal/core'
import { StorageError } from '../errors.ts'
import type { TrialRecord } from '../trial.ts'
import type { Change, StudyHeader, StudyStorage } from './storage.ts'

/** What takes a file from version i to version i + 1. A released one never changes. */
const migrations: readonly string[] = [
  `CREATE TABLE studies (
     id INTEGER PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     header TEXT NOT NULL,
     revision INTEGER NOT NULL DEFAULT 0
   ) STRICT;
   CREATE TABLE trials (
     study INTEGER NOT NULL REFERENCES studies (id),
     number INTEGER NOT NULL,
     revision INTEGER NOT NULL,
     state TEXT NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (study, number)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX changes ON trials (study, revision);`,
]

/** Says that a file is a storage of studies: 'shtu'. */
const applicationId = 0x73687475

/** How files are opened. */
export interface SqliteOptions {
  /** How long to wait for other processes that write, in ms. Default 30,000. */
  readonly busyTimeoutMs?: number
}

/** What is known here of a study: its trials as of a revision. */
interface Known {
  readonly id: number
  revision: number
  trials: readonly TrialRecord[]
}

/**
 * Keeps studies in a file. Each change is a transaction that is on disk when it answers; a process that is killed leaves all of it
 * or nothing. The file must lie on a disk of the machine: locks over a network are not to be relied on.
 */
export class SqliteStorage implements StudyStorage {
  readonly #db: DatabaseSync
  readonly #known = new Map<string, Known>()

  /** See `SqliteStorage.open`. */
  private constructor(db: DatabaseSync) {
    this.#db = db
  }

  /**
   * Opens a file, or makes it.
   * @throws StorageError for a file of another kind or of a later version, and where the file cannot be opened
   */
  static open(path: string, { busyTimeoutMs = 30_000 }: SqliteOptions = {}): SqliteStorage {
    let db: DatabaseSync | undefined
    try {
      db = new DatabaseSync(path, { timeout: busyTimeoutMs })
      const storage = new SqliteStorage(db)
      storage.#migrate(path)
      // Readers do not wait for writers; a commit is on disk before it answers.
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON')
      return storage
    } catch (error) {
      db?.close()
      if (error instanceof StorageError) throw error
      throw new StorageError(`${path} cannot be opened as a storage of studies: ${String(error)}`, {
        cause: error,
      })
    }
  }

  async open(header: StudyHeader): Promise<StudyHeader> {
    return this.#transaction(() => {
      this.#db
        .prepare('INSERT INTO studies (name, header) VALUES (?, ?) ON CONFLICT (name) DO NOTHING')
        .run(header.name, JSON.stringify(header))
      const row = this.#db.prepare('SELECT id, header FROM studies WHERE name = ?').get(header.name)!
      if (!this.#known.has(header.name))
        this.#known.set(header.name, { id: Number(row['id']), revision: 0, trials: [] })
      return JSON.parse(String(row['header'])) as StudyHeader
    })
  }

  async change<T>(study: string, decide: (trials: readonly TrialRecord[]) => Change<T>): Promise<T> {
    const known = this.#known.get(study)
    if (!known) throw new NotFoundError(`there is no study '${study}': open it first`)
    const { trials, revision, result } = this.#transaction(() => {
      const before = this.#catchUp(known)
      const { put, result } = decide(before.trials)
      if (put.length === 0) return { ...before, result }
      const revision = before.revision + 1
      this.#db.prepare('UPDATE studies SET revision = ? WHERE id = ?').run(revision, known.id)
      const write = this.#db.prepare(
        'INSERT OR REPLACE INTO trials (study, number, revision, state, body) VALUES (?, ?, ?, ?, ?)',
      )
      for (const trial of put) write.run(known.id, trial.number, revision, trial.state, JSON.stringify(trial))
      return { trials: merged(before.trials, put), revision, result }
    })
    // Only what was committed is known.
    known.trials = trials
    known.revision = revision
    return result
  }

  async close(): Promise<void> {
    if (this.#db.isOpen) this.#db.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The trials as they are in the file: only those that changed are read. */
  #catchUp({ id, revision, trials }: Known): { trials: readonly TrialRecord[]; revision: number } {
    const row = this.#db.prepare('SELECT revision FROM studies WHERE id = ?').get(id)
    const current = Number(row?.['revision'])
    if (current === revision) return { trials, revision }
    const rows = this.#db
      .prepare('SELECT body FROM trials WHERE study = ? AND revision > ?')
      .all(id, revision)
    const changed = rows.map(({ body }) => JSON.parse(String(body)) as TrialRecord)
    return { trials: merged(trials, changed), revision: current }
  }

  #migrate(path: string): void {
    this.#transaction(() => {
      const read = (pragma: string): number =>
        Number(Object.values(this.#db.prepare(`PRAGMA ${pragma}`).get()!)[0])
      const version = read('user_version')
      const foreign = read('application_id') !== applicationId
      const tables = Number(this.#db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()!['n'])
      if (foreign && (version > 0 || tables > 0))
        throw new StorageError(`${path} is a file of SQLite, but of something else: give another path`)
      if (version > migrations.length)
        throw new StorageError(
          `${path} has version ${version}, this program knows ${migrations.length}: use a newer one of @shoal/tune`,
        )
      for (const statements of migrations.slice(version)) this.#db.exec(statements)
      this.#db.exec(`PRAGMA user_version = ${migrations.length}; PRAGMA application_id = ${applicationId}`)
    })
  }

  /** Runs something alone: the file is locked for other writers from the beginning, so that what was read is still so when it is written. */
  #transaction<T>(run: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = run()
      this.#db.exec('COMMIT')
      return result
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }
}

function merged(trials: readonly TrialRecord[], put: readonly TrialRecord[]): readonly TrialRecord[] {
  const result = [...trials]
  for (const trial of put) result[trial.number] = trial
  return result
}
