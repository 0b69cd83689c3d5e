// An ensemble made by all tasks of a job: they share the training of its members, and asking them; then one of them makes one model of all.
import { ValueError } from '@shoal/core'
import { encodeModel, ensembleModels, loadModel, predictor, type SavedModel } from '@shoal/train'
import type { Json } from '../jobs/json.ts'
import { combineMembers, type Quality } from './combineMembers.ts'
import { bestTrials, type Member, trainMembers } from './ensembleMembers.ts'
import { type EnsembleSettings, readEnsembleSettings } from './ensembleSettings.ts'
import { type Answers, answersOf, decodeAnswers, encodeAnswers, type HeldOut } from './heldOut.ts'
import { keepModel, keptModel, mainModel, modelKey } from './models.ts'
import { resultKey } from './search.ts'
import { shareWork } from './shareWork.ts'
import { Task } from './task.ts'
import type { TaskContext } from './taskContext.ts'

/** What makes an ensemble. */
export interface EnsembleProgram {
  /**
   * Trains a member, counted from 0, and answers its bytes (`saveModel`). Members that differ make good ensembles: let the index be the seed, or choose the
   * examples (`bag`). Left out: the program makes ensembles of searches alone.
   */
  member?(index: number, task: Task, signal: AbortSignal): Promise<Uint8Array>
  /** Examples that no member was trained on, in batches: the same ones in the same order in every task. */
  heldOut(task: Task): AsyncIterable<HeldOut>
  /** The output of the members that is combined. Default: the only one that they have. */
  readonly output?: string
  /** Milliseconds that a task may be silent before what it was at is given to another one. Default 15,000. */
  readonly leaseMs?: number
}

/**
 * Takes part in making an ensemble until it is there: it is then the model of the job, and how good it is beside its members is the result.
 * @throws ValueError for settings that make no sense, and what the program throws; ModelError for members that do not go together; the reason of the
 * signal
 */
export async function runEnsemble(program: EnsembleProgram, context: TaskContext): Promise<void> {
  const settings = readEnsembleSettings(context.port.assignment.settings)
  const { leaseMs = 15_000 } = program
  const members =
    'of' in settings
      ? await bestTrials(context, settings)
      : await trainMembers(program, context, { members: settings.members, leaseMs })
  const making = new Making(program, context, members)
  await shareWork(context, {
    name: 'work/predictions',
    pieces: members.length,
    leaseMs,
    work: (index, signal) => making.ask(index, signal),
  })
  await shareWork(context, {
    name: 'work/combination',
    pieces: 1,
    leaseMs,
    work: (_, signal) => making.combine(settings, signal),
  })
}

const predictionsKey = (index: number): string => `predictions/${index}`

/** What the tasks share in, once it is known who the members are. */
class Making {
  readonly #program: EnsembleProgram
  readonly #context: TaskContext
  readonly #members: readonly Member[]
  readonly #task: Task

  constructor(program: EnsembleProgram, context: TaskContext, members: readonly Member[]) {
    this.#program = program
    this.#context = context
    this.#members = members
    this.#task = new Task(context)
  }

  /** Asks a member about the held-out examples. */
  async ask(index: number, signal: AbortSignal): Promise<void> {
    const model = await this.#model(index)
    await using ready = await predictor(model, { devices: await this.#task.devices() })
    const examples = this.#program.heldOut(this.#task)
    const answers = await answersOf(ready, this.#outputOf(model), examples, signal)
    const kept = await keepModel(this.#context, encodeAnswers(answers))
    await this.#context.documents.set(predictionsKey(index), { ...kept })
    this.#task.log(`${this.#members[index]!.name} was asked about ${answers.labels.shape[0]} examples`)
  }

  /** Makes one model of all, and says how good it is. */
  async combine({ combine }: EnsembleSettings, signal: AbortSignal): Promise<void> {
    const { documents } = this.#context
    const answers = await Promise.all(this.#members.map((_, index) => this.#answers(index)))
    demandSameLabels(answers)
    const found = await combineMembers(answers, combine, { devices: () => this.#task.devices(), signal })
    const models = await Promise.all(this.#members.map((_, index) => this.#model(index)))
    const judged = this.#members.map(({ name }, i) => ({ name, ...found.members[i]! }))
    const best = judged.reduce((a, b) => (isBetter(b, a) ? b : a))
    const ensemble = ensembleModels(models, {
      ...found.combination,
      output: this.#outputOf(models[0]!),
      metadata: {
        combine,
        members: this.#members.map(({ name }) => name).join(', '),
        ...texts(found.ensemble),
      },
    })
    // Whoever does all of this again makes the same.
    await documents.set(modelKey(mainModel), { ...(await keepModel(this.#context, encodeModel(ensemble))) })
    const { combination } = found
    const weights = combination.combine === 'weights' ? { weights: combination.weights } : {}
    await documents.set(resultKey, {
      ensemble: found.ensemble,
      best,
      members: judged,
      combine,
      ...weights,
    } as Json)
    this.#task.log(
      `the ensemble has ${said(found.ensemble)}; its best member, ${best.name}, ${said(found.members[judged.indexOf(best)]!)}`,
    )
  }

  async #model(index: number): Promise<SavedModel> {
    return loadModel(await this.#blob(this.#members[index]!.hash))
  }

  async #answers(index: number): Promise<Answers> {
    const kept = keptModel(await this.#context.documents.read(predictionsKey(index)))
    return decodeAnswers(await this.#blob(kept!.hash))
  }

  #blob(hash: string): Promise<Uint8Array> {
    const { services, stopped } = this.#context.port
    return services.getBlob(hash, { signal: stopped })
  }

  #outputOf({ signature }: SavedModel): string {
    const names = Object.keys(signature.outputs)
    const { output = names[0]! } = this.#program
    if (this.#program.output === undefined && names.length > 1)
      throw new ValueError(
        `members have the outputs ${names.join(', ')}: say with \`output\` which is to be combined`,
      )
    return output
  }
}

function demandSameLabels([first, ...others]: readonly Answers[]): void {
  const differ = ({ labels }: Answers): boolean => Buffer.compare(labels.bytes, first!.labels.bytes) !== 0
  if (others.some(differ))
    throw new ValueError(
      'heldOut gives other labels to each task: it has to give the same examples in the same order',
    )
}

/** Of classes that of which more are right, and of those that with less loss; of numbers that with less error. */
function isBetter(a: Quality | { readonly name: string }, b: Quality | { readonly name: string }): boolean {
  const [one, other] = [a, b] as readonly Quality[] as [Quality, Quality]
  if ('squaredError' in one) return one['squaredError']! < other['squaredError']!
  return one['accuracy'] === other['accuracy']
    ? one['logLoss']! < other['logLoss']!
    : one['accuracy']! > other['accuracy']!
}

const texts = (quality: Quality): Record<string, string> =>
  Object.fromEntries(Object.entries(quality).map(([name, value]) => [name, String(value)]))

const said = (quality: Quality): string =>
  Object.entries(quality)
    .map(([name, value]) => `${name} ${value.toPrecision(4)}`)
    .join(', ')
