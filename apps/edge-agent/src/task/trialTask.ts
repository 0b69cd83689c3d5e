// A task while it runs one trial of a search.
import type { Trial } from '@shoal/tune'
import { keepModel, type KeptModel, trialKey } from './models.ts'
import { Task } from './task.ts'
import type { TaskContext } from './taskContext.ts'

/** What the objective of a search is given besides its trial. */
export class TrialTask extends Task {
  readonly #trial: Pick<Trial, 'number' | 'attempt'>

  /** The runtime makes tasks. */
  constructor(context: TaskContext, trial: Pick<Trial, 'number' | 'attempt'>) {
    super(context)
    this.#trial = trial
  }

  /**
   * Keeps the model that the trial has made, where ensembles find it; the last one counts. To be awaited before the objective answers: what it
   * came to is told after its model is kept, so that no trial that has ended is without.
   */
  async saveModel(bytes: Uint8Array): Promise<void> {
    const { number, attempt } = this.#trial
    const kept = { ...(await keepModel(this.context, bytes)), attempt }
    await this.context.documents.change(trialKey(number), (value) => {
      const before = value as unknown as (KeptModel & { readonly attempt: number }) | undefined
      // Whoever was thought lost, and comes late, takes nothing from who has the trial now.
      const isLate = before !== undefined && before.attempt > attempt
      return isLate ? { result: undefined } : { value: kept, result: undefined }
    })
  }
}
