// Checkpoints while training.
import type { Variable } from '@shoal/core'
import { ValueError } from '@shoal/core'
import type { Saver } from '../checkpoint/saver.ts'
import type { Hook, Metrics, TrainingRun } from '../hook.ts'
import { scalarsOf } from '../hook.ts'

/** What is saved, where and when. */
export interface SaveOptions {
  readonly saver: Saver
  /** `allVariables(trainOp)`: weights, slots and counters. */
  readonly variables: readonly Variable[]
  /** Save after so many steps, with the metrics of that step. */
  readonly steps?: number
  /** Save after so many epochs, with the metrics of that epoch. Default 1 when `steps` is left out. */
  readonly epochs?: number
}

/** Saves every so many steps or epochs, and at the end unless training failed. @throws ValueError for numbers below 1. */
export function saveEvery({
  saver,
  variables,
  steps,
  epochs = steps === undefined ? 1 : undefined,
}: SaveOptions): Hook {
  for (const every of [steps, epochs])
    if (every !== undefined && !(Number.isInteger(every) && every >= 1))
      throw new ValueError(`cannot save every ${every}: use whole numbers from 1`)
  let saved = -1
  let known: Metrics = {}
  const save = async (run: TrainingRun, metrics: Metrics): Promise<void> => {
    await saver.save(run.session, variables, { step: run.step, metrics })
    saved = run.step
  }
  return {
    begin(run) {
      // What it starts from is saved already, or not worth saving.
      saved = run.step
    },
    async afterRun(run, values) {
      known = scalarsOf(values)
      if (steps !== undefined && run.step % steps === 0) await save(run, known)
    },
    async epochEnd(run, metrics) {
      known = metrics
      if (epochs !== undefined && (run.epoch + 1) % epochs === 0) await save(run, metrics)
    },
    async end(run, error) {
      if (error === undefined && run.step !== saved) await save(run, known)
    },
  }
}
