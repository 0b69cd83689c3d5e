// Who is in an ensemble: the models of the best trials of a search, or such as are trained for it.
import { NotFoundError, ValueError } from '@shoal/core'
import { loadModel } from '@shoal/train'
import type { TrialRecord } from '@shoal/tune'
import type { Json } from '../jobs/json.ts'
import { keptStudy } from './documentStorage.ts'
import type { EnsembleProgram } from './ensemble.ts'
import { keepModel, type KeptModel, keptModel, trialKey } from './models.ts'
import { studyKey } from './search.ts'
import { shareWork } from './shareWork.ts'
import { Task } from './task.ts'
import type { TaskContext } from './taskContext.ts'

/** A member, and whence it comes. */
export interface Member extends KeptModel {
  /** `trial 4`, `member 1`. */
  readonly name: string
}

/** The document that says who the members are. */
const membersKey = 'members'

/**
 * The members that come of the best trials of a search that have models, the best first. All tasks have the same, also where the search goes on.
 * @throws NotFoundError where the job is no search; ValueError for one of several objectives, and where too few trials have a model
 */
export async function bestTrials(
  { documents }: TaskContext,
  { of, best }: { readonly of: string; readonly best: number },
): Promise<readonly Member[]> {
  const value = await documents.read(studyKey, { jobId: of })
  if (value === undefined) throw new NotFoundError(`${of} is no search: it has no trials`)
  const { header, trials } = keptStudy(value)
  if (header.directions.length > 1)
    throw new ValueError(`${of} has several objectives: which of its trials are best is for you to say`)
  const sign = header.directions[0] === 'maximize' ? -1 : 1
  const found: Member[] = []
  for (const { number } of ranked(trials, sign)) {
    if (found.length === best) break
    const model = keptModel(await documents.read(trialKey(number), { jobId: of }))
    if (model) found.push({ name: `trial ${number}`, ...model })
  }
  if (found.length < best)
    throw new ValueError(
      `${of} has ${found.length} complete trials with a model, ${best} are wanted: its objective has to call task.saveModel`,
    )
  // Whoever is first decides.
  return documents.change(membersKey, (known) =>
    known === undefined
      ? { value: found as unknown as Json, result: found }
      : { result: known as unknown as readonly Member[] },
  )
}

/** Complete trials that keep their constraints, the best first. */
const ranked = (trials: readonly TrialRecord[], sign: 1 | -1): readonly TrialRecord[] =>
  trials
    .filter(({ state, constraints }) => state === 'complete' && constraints.every((value) => value <= 0))
    .toSorted((a, b) => sign * (a.objectives[0]! - b.objectives[0]!) || a.number - b.number)

/**
 * Trains members in all tasks.
 * @throws ValueError where the program does not say how; ModelError for what is no model; what the program throws
 */
export async function trainMembers(
  program: EnsembleProgram,
  context: TaskContext,
  { members, leaseMs }: { readonly members: number; readonly leaseMs: number },
): Promise<readonly Member[]> {
  const { documents } = context
  if (!program.member)
    throw new ValueError(
      'the program trains no members: give its ensemble `member`, or ask for one `of` a search',
    )
  const train = program.member.bind(program)
  const task = new Task(context)
  await shareWork(context, {
    name: 'work/members',
    pieces: members,
    leaseMs,
    async work(index, signal) {
      const bytes = await train(index, task, signal)
      // What cannot be loaded is better known now than when all are trained.
      loadModel(bytes)
      await documents.set(memberKey(index), { ...(await keepModel(context, bytes)) })
      task.log(`member ${index} is trained`)
    },
  })
  return Promise.all(
    Array.from({ length: members }, async (_, index) => ({
      name: `member ${index}`,
      ...keptModel(await documents.read(memberKey(index)))!,
    })),
  )
}

const memberKey = (index: number): string => `${membersKey}/${index}`
