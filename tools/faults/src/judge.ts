// What came of a training, read from the newest checkpoint alone: how well it reads, and which steps are in it.
import { Session } from '@shoal/core'
import { openDevice } from '@shoal/example-parts'
import { allVariables, evaluate } from '@shoal/train'
import { Checkpoints } from '@shoal/train/node'
import { digitsOf } from './digits.ts'
import { classifier, optimizer } from './model.ts'
import { marksOf, type TrainingOptions } from './protocol.ts'

/** What a checkpoint tells. */
export interface Outcome {
  /** The step that the checkpoint is named for. */
  readonly named: number
  /** The global step that is in it. */
  readonly globalStep: number
  /** How many marks are in the ledger, all counted. */
  readonly marks: number
  /** How often the mark was left that was left most often. */
  readonly mostOften: number
  /** The part of the test images that it reads. */
  readonly accuracy: number
}

/** Reads the newest checkpoint of a folder. @throws CheckpointError where there is none. */
export async function outcomeOf(folder: string, training: TrainingOptions): Promise<Outcome> {
  const network = classifier({ marks: marksOf(training), by: 'ticket' })
  const { ledger, globalStep, accuracy } = network
  await using session = new Session({ devices: [await openDevice('cpu', 1)] })
  const { step: named } = await new Checkpoints(folder).restore(session, [
    ...allVariables(accuracy),
    ledger,
    globalStep,
  ])
  const values = await session.run({ ledger, globalStep })
  const counts = values.ledger.numbers()
  return {
    named,
    globalStep: values.globalStep.number(),
    marks: Math.round(counts.reduce((sum, count) => sum + count, 0)),
    mostOften: counts.reduce((most, count) => Math.max(most, count), 0),
    accuracy: await accuracyOf(session, network, training),
  }
}

/** The accuracy of a training of as many steps on this process alone, to which nothing happens. */
export async function undisturbedAccuracy(training: TrainingOptions): Promise<number> {
  const network = classifier({ marks: training.steps, by: 'step' })
  const { objective, globalStep, accuracy } = network
  const step = optimizer().minimize(objective, { globalStep })
  await using session = new Session({ devices: [await openDevice('cpu', 1)], seed: training.seed })
  await session.initialize(step, accuracy)
  const { train } = await digitsOf(training)
  for await (const digit of train.repeat().take(training.steps)) await session.run(step, { ...digit })
  return await accuracyOf(session, network, training)
}

async function accuracyOf(
  session: Session,
  { accuracy }: ReturnType<typeof classifier>,
  training: TrainingOptions,
): Promise<number> {
  const { test } = await digitsOf(training)
  const mean = await evaluate({ session, data: test, fetches: { accuracy }, feed: (digit) => ({ ...digit }) })
  return mean['accuracy'] ?? Number.NaN
}
