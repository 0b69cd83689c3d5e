// Checkpoints of a job: each is a blob, kept on two nodes, and a document says which there are, so that any node may go on from them.
import type { Session, Variable } from '@shoal/core'
import { ValueError } from '@shoal/core'
import { SupersededError } from '@shoal/distributed'
import type { CheckpointFacts, Restored, RestoreOptions, Saver } from '@shoal/train'
import {
  CheckpointError,
  decodeSafetensors,
  encodeSafetensors,
  readVariables,
  writeVariables,
} from '@shoal/train'
import type { Json } from '../jobs/json.ts'
import { keepModel, type KeptModel } from './models.ts'
import type { TaskContext } from './taskContext.ts'

/** A checkpoint, as the document tells of it. */
interface Entry extends KeptModel {
  readonly step: number
  /** Numbers that JSON does not have are left out. */
  readonly metrics: Readonly<Record<string, number>>
  /** Of the task that saved it. */
  readonly attempt: number
}

/** The document that says which checkpoints there are, the newest last. */
export const checkpointsKey = 'checkpoints'

/** So many are told of: the newest, and one to fall back on. */
const kept = 2

/** The checkpoints of a job, which all attempts and all nodes share. */
export class JobCheckpoints implements Saver {
  readonly #context: TaskContext

  constructor(context: TaskContext) {
    this.#context = context
  }

  /** @see Saver.latest */
  async latest(): Promise<number | undefined> {
    return (await this.#entries()).at(-1)?.step
  }

  /**
   * @see Saver.save
   * @throws SupersededError where a later attempt has saved one: this one was thought lost, and nobody waits for it
   */
  async save(
    session: Session,
    variables: readonly Variable[],
    { step, metrics = {}, confirm }: CheckpointFacts,
  ): Promise<void> {
    const { documents, port } = this.#context
    const { attempt } = port.assignment
    const bytes = encodeSafetensors(await readVariables(session, variables), { step: String(step) })
    const blob = await keepModel(this.#context, bytes)
    await confirm?.()
    const finite = Object.entries(metrics).filter(([, value]) => Number.isFinite(value))
    const entry: Entry = { step, ...blob, metrics: Object.fromEntries(finite), attempt }
    await documents.change(checkpointsKey, (value) => {
      const before = entriesIn(value)
      const later = before.find((one) => one.attempt > attempt)
      if (later)
        throw new SupersededError(
          `attempt ${attempt} has no checkpoints to save any more: attempt ${later.attempt} goes on from step ${later.step}`,
        )
      // What is at or behind this step was undone by whoever went back to before it.
      const after = [...before.filter((one) => one.step < step), entry].slice(-kept)
      return { value: after as unknown as Json, result: undefined }
    })
  }

  /** @see Saver.restore @throws ValueError for `best`, which nobody keeps here; CheckpointError when there is none that fits. */
  async restore(
    session: Session,
    variables: readonly Variable[],
    { which = 'latest', allowMissing = false, confirm }: RestoreOptions = {},
  ): Promise<Restored> {
    if (which === 'best')
      throw new ValueError('a job keeps the newest checkpoints, not the best: ask for latest')
    const { port } = this.#context
    const entries = (await this.#entries()).toReversed()
    const faults: string[] = []
    for (const { step, hash, metrics } of entries.filter((one) => which === 'latest' || one.step === which)) {
      let content: ReturnType<typeof decodeSafetensors>
      try {
        content = decodeSafetensors(await port.services.getBlob(hash, { signal: port.stopped }))
      } catch (error) {
        port.stopped.throwIfAborted()
        faults.push(`that of step ${step} cannot be read: ${(error as Error).message}`)
        continue
      }
      await confirm?.()
      const source = `the checkpoint of step ${step}`
      const missing = await writeVariables(session, variables, content.tensors, { allowMissing, source })
      return { step, metrics, missing }
    }
    const wanted = which === 'latest' ? 'checkpoint' : `checkpoint of step ${which}`
    throw new CheckpointError([`the job has no ${wanted} that can be restored`, ...faults].join('; '))
  }

  async #entries(): Promise<readonly Entry[]> {
    return entriesIn(await this.#context.documents.read(checkpointsKey))
  }
}

const entriesIn = (value: Json | undefined): readonly Entry[] => (value ?? []) as unknown as readonly Entry[]
