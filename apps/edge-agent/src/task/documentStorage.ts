// Studies in documents of a job: each study is one document, so that the tasks that search together change it one at a time.
import { NotFoundError } from '@shoal/core'
import type { Change, Clock, StudyHeader, StudyStorage, TrialRecord } from '@shoal/tune'
import type { Json } from '../jobs/json.ts'
import type { Documents } from './documents.ts'
import { SeenLeases } from './seenLeases.ts'

/** A study as its document holds it. */
interface KeptStudy {
  readonly header: StudyHeader
  readonly trials: readonly TrialRecord[]
  /** The last writes, so that whoever was not told that his was kept finds it. */
  readonly writes: readonly string[]
}

/** So many tasks may write between a write and the next look of who wrote it. */
const writesKept = 64

/** Who writes, and who is told. */
export interface DocumentStorageOptions {
  /** That of the study. */
  readonly clock: Pick<Clock, 'now'>
  /** That of the study. */
  readonly leaseMs: number
  /** The process that writes: no other one, earlier or later, has the same name. */
  readonly writer: string
  /** Told once, in all processes together, of each trial that is new or different. Default: nobody is. */
  readonly changed?: (before: TrialRecord | undefined, after: TrialRecord) => void
}

/** Keeps each study in the document of its name. */
export class DocumentStorage implements StudyStorage {
  readonly #documents: Documents
  readonly #options: DocumentStorageOptions
  readonly #leases = new Map<string, SeenLeases>()
  #count = 0

  constructor(documents: Documents, options: DocumentStorageOptions) {
    this.#documents = documents
    this.#options = options
  }

  /** @see StudyStorage */
  open(header: StudyHeader): Promise<StudyHeader> {
    return this.#documents.change(header.name, (value) => {
      if (value !== undefined) return { result: keptStudy(value).header }
      return { value: asJson({ header, trials: [], writes: [] }), result: header }
    })
  }

  /** @see StudyStorage */
  async change<T>(name: string, decide: (trials: readonly TrialRecord[]) => Change<T>): Promise<T> {
    const { writer, changed = () => {} } = this.#options
    const leases = this.#leasesOf(name)
    const write = `${writer} ${this.#count++}`
    let made: { readonly before: readonly TrialRecord[]; readonly change: Change<T> } | undefined
    const result = await this.#documents.change(name, (value): { value?: Json; result: T } => {
      if (value === undefined) throw new NotFoundError(`there is no study '${name}': open it first`)
      const { header, trials, writes } = keptStudy(value)
      // It was kept after all: the leader of the job died before it could say so.
      if (made && writes.includes(write)) return { result: made.change.result }
      const change = decide(leases.asSeenHere(trials))
      made = { before: trials, change }
      if (change.put.length === 0) return { result: change.result }
      const after = [...trials]
      for (const trial of change.put) after[trial.number] = trial
      const study = { header, trials: after, writes: [...writes, write].slice(-writesKept) }
      return { value: asJson(study), result: change.result }
    })
    for (const trial of made!.change.put) changed(made!.before[trial.number], trial)
    return result
  }

  async close(): Promise<void> {}

  #leasesOf(name: string): SeenLeases {
    const leases = this.#leases.get(name) ?? new SeenLeases(this.#options)
    this.#leases.set(name, leases)
    return leases
  }
}

/** The study in a document. @throws NotFoundError for a document that is something else. */
export function keptStudy(value: Json): KeptStudy {
  const study = value as Partial<KeptStudy> | null
  if (!study?.header || !Array.isArray(study.trials) || !Array.isArray(study.writes))
    throw new NotFoundError('the document holds no study')
  return study as KeptStudy
}

// Records of trials are JSON by their definition, which their types are too narrow to say.
const asJson = (study: KeptStudy): Json => study as unknown as Json
