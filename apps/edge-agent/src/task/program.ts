// A program of a job: what its user writes, one function for each thing that a job may be asked to do.
import { ValueError } from '@shoal/core'
import type { Goal, Space } from '@shoal/tune'
import type { JobSpec } from '../jobs/spec.ts'
import type { EnsembleProgram } from './ensemble.ts'
import type { SearchProgram } from './search.ts'
import type { TrainingTask } from './trainingTask.ts'

/** What a job can run; the command says which of these it is to be. */
export interface Program<S extends Space = Space, G extends Goal = Goal> {
  /** Trains a model. It runs in every task of the job, and begins again from the last checkpoint when a task was lost. */
  train?(task: TrainingTask): Promise<void>
  /** Searches for good parameters. */
  readonly search?: SearchProgram<S, G>
  /** Makes one model of several. */
  readonly ensemble?: EnsembleProgram
}

/** Says that an object is a program, and gives its functions their types: `export default defineProgram({ async train(task) { … } })`. */
export const defineProgram = <const S extends Space = Space, const G extends Goal = 'minimize'>(
  program: Program<S, G>,
): Program<S, G> => program

/**
 * The part of a program that a job of this kind runs.
 * @throws ValueError for what is no program, or has no such part
 */
export function partOf<K extends JobSpec['kind']>(program: unknown, kind: K): NonNullable<Program[K]> {
  const part = typeof program === 'object' && program !== null ? (program as Program)[kind] : undefined
  if (part) return part as NonNullable<Program[K]>
  throw new ValueError(
    `the program has nothing for 'shoal ${kind}': its default export is to be defineProgram({ ${kind}… })`,
  )
}
