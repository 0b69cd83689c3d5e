// Studies that live as long as the process.
import { NotFoundError } from '@shoal/core'
import type { TrialRecord } from '../trial.ts'
import type { Change, StudyHeader, StudyStorage } from './storage.ts'

/** Keeps studies in memory. */
export class MemoryStorage implements StudyStorage {
  readonly #studies = new Map<string, { readonly header: StudyHeader; trials: readonly TrialRecord[] }>()

  async open(header: StudyHeader): Promise<StudyHeader> {
    const known = this.#studies.get(header.name)
    if (known) return known.header
    this.#studies.set(header.name, { header, trials: [] })
    return header
  }

  async change<T>(name: string, decide: (trials: readonly TrialRecord[]) => Change<T>): Promise<T> {
    const study = this.#studies.get(name)
    if (!study) throw new NotFoundError(`there is no study '${name}': open it first`)
    const { put, result } = decide(study.trials)
    if (put.length > 0) {
      const trials = [...study.trials]
      for (const trial of put) trials[trial.number] = trial
      study.trials = trials
    }
    return result
  }

  async close(): Promise<void> {}
}
