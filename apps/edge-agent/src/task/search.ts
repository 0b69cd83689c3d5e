// A search of many tasks: each runs one trial after another of the same study, which stands in a document of the job.
import type {
  Goal,
  Objective,
  Pruner,
  Sampler,
  Space,
  Told,
  Trial,
  TrialRecord,
  TrialResult,
} from '@shoal/tune'
import { createStudy, type Study } from '@shoal/tune'
import type { Json } from '../jobs/json.ts'
import { DocumentStorage, keptStudy } from './documentStorage.ts'
import { keptModel, mainModel, modelKey, trialKey } from './models.ts'
import { type TaskContext, taskName, writerOf } from './taskContext.ts'
import { TrialTask } from './trialTask.ts'

/** What is searched for, and how. */
export interface SearchProgram<S extends Space, G extends Goal> {
  readonly space: S
  /** `minimize`, `maximize`, or a list with one of these for each objective. Default `minimize`. */
  readonly direction?: G
  /** Default `tpeSampler()`. */
  readonly sampler?: Sampler
  /** Default: nothing is stopped early. */
  readonly pruner?: Pruner
  /** Of all random numbers. A setting of the same name counts more. Default 0. */
  readonly seed?: number
  /** How many trials there are to be in all. A setting of the same name counts more. */
  readonly trials: number
  /** Milliseconds that a task may be silent before its trial is given to another one. Code that lets no timer run for so long needs more. Default 15,000. */
  readonly leaseMs?: number
  /** How often a trial is begun again whose task was lost. Default 5: nodes come and go. */
  readonly retries?: number
  /** Is this error one that the search can live with? The trial has then failed, and the next one begins. Default: no error is. */
  readonly tolerate?: (error: unknown) => boolean
  /**
   * Runs a trial and tells what it came to. `trial.report` says how it goes, and whether it is worth going on; `task.saveModel` keeps what it
   * has made. One that runs long looks at `trial.signal` now and then.
   */
  objective(trial: Trial<S>, task: TrialTask): Told<S, G> | Promise<Told<S, G>>
}

/** The document that holds the study of a search. */
export const studyKey = 'study'
/** The document that says what a job came to. */
export const resultKey = 'result'

/**
 * Takes part in the search until all its trials have ended, those of other tasks too. Then the best is the result of the job, and its model that of
 * the job; where there are several objectives, the result is all that none leads in all of them.
 * @throws what the objective throws and `tolerate` does not live with; the reason of the signal
 */
export async function runSearch<S extends Space, G extends Goal>(
  search: SearchProgram<S, G>,
  context: TaskContext,
): Promise<void> {
  const { space, direction, sampler, pruner, tolerate, leaseMs = 15_000, retries = 5 } = search
  const { port, documents, means } = context
  const { assignment, services, stopped: signal } = port
  const { settings, node } = assignment
  const name = taskName(assignment.task)
  const { clock } = means
  const storage = new DocumentStorage(documents, {
    clock,
    leaseMs,
    writer: writerOf(context),
    changed: (before, after) => tell(services, before, after),
  })
  const study = await createStudy<S, G>({
    space,
    ...(direction && { direction }),
    ...(sampler && { sampler }),
    ...(pruner && { pruner }),
    name: studyKey,
    seed: numberIn(settings['seed']) ?? search.seed ?? 0,
    storage,
    clock,
    leaseMs,
    retries,
    owner: `${name} on ${node}`,
  })
  const objective: Objective<S, G> = (trial) => search.objective(trial, new TrialTask(context, trial))
  try {
    await study.optimize(objective, {
      trials: numberIn(settings['trials']) ?? search.trials,
      signal,
      ...(tolerate && { tolerate }),
    })
  } finally {
    study.close()
  }
  await tellResult(study, context)
  // Who died between a trial's end and telling of it told nobody. Of each trial the first word counts.
  const { trials } = keptStudy((await documents.read(studyKey))!)
  for (const trial of trials) tell(services, trial, trial)
}

/** Writes what the search came to. All tasks do so, for any of them may be the last; they write the same. */
async function tellResult<S extends Space, G extends Goal>(
  study: Study<S, G>,
  { documents }: TaskContext,
): Promise<void> {
  const told = ({ number, params, value }: TrialResult<S, G>): Json =>
    ({ trial: number, params, value }) as unknown as Json
  const best = await study.best()
  const model = best && keptModel(await documents.read(trialKey(best.number)))
  if (model) await documents.set(modelKey(mainModel), { ...model })
  const several = study.directions.length > 1
  const result = several ? { front: (await study.front()).map(told) } : { best: best ? told(best) : null }
  await documents.set(resultKey, result)
}

/** Tells what is new of a trial: reports, and its end. */
function tell(
  services: TaskContext['port']['services'],
  before: TrialRecord | undefined,
  after: TrialRecord,
): void {
  const { number: trial, values: params, objectives } = after
  for (const [step, value] of after.reports)
    if (!before?.reports.some(([at, known]) => at === step && known === value))
      services.report({ step, trial, values: { value } })
  const [value] = objectives
  const { state } = after
  if (state !== 'waiting' && state !== 'running')
    services.trialEnded({ trial, state, params, ...(value !== undefined && { value }) })
}

const numberIn = (setting: Json | undefined): number | undefined =>
  typeof setting === 'number' ? setting : undefined
