// A training to which something happens: it is started, struck, waited for, and judged by what it has left behind.
import { expectThat } from '@shoal/example-parts'
import { Cluster, type ClusterOptions } from './cluster.ts'
import { outcomeOf, undisturbedAccuracy } from './judge.ts'
import type { ArrangementName, TrainingOptions } from './protocol.ts'

/** How a fault is brought about. */
export interface Scale {
  /** A run of seconds. */
  readonly short: boolean
  readonly seed: number
  /** Prints every line that a task logs. */
  readonly verbose: boolean
}

/** A fault that a training survives. */
export interface Fault {
  readonly name: string
  readonly about: string
  /** Is it in the short form? */
  readonly inShort: boolean
  /** Why it cannot be brought about here; undefined where it can. */
  readonly missing?: () => Promise<string | undefined>
  /** Brings it about, and says what came of it. */
  run(scale: Scale): Promise<void>
}

/** Something that the log of a cluster says. */
export interface Tells {
  readonly what: string
  /** Who says it. */
  readonly by: string | RegExp
  readonly line: RegExp
}

/** A training, and what happens to it. */
export interface Ordeal extends Partial<Omit<ClusterOptions, 'training' | 'verbose'>> {
  readonly scale: Scale
  readonly arrangement?: ArrangementName
  readonly steps: number
  /** Default 10. */
  readonly saveEverySteps?: number
  /** How many processes may be started in all. Default 12. */
  readonly starts?: number
  /** Milliseconds that all may take, from the first start to the last end. Default 90,000. */
  readonly deadlineMs?: number
  /** What happens, once all workers have begun to train; it ends before training does. */
  readonly strike: (cluster: Cluster) => Promise<void>
  /** What else is to be said of what was left behind. */
  readonly judge?: (cluster: Cluster) => Promise<void>
  /** What the log has to say of it. */
  readonly tells?: readonly Tells[]
}

/** How much less of the test images may be told right than without the fault: steps that overlap make some per cent by themselves. */
const margin = 0.05

/** Trains, lets the fault happen, and says what has become of the training. */
export async function survive(ordeal: Ordeal): Promise<void> {
  const { scale, arrangement = 'asynchronous', steps, saveEverySteps = 10, starts = 12 } = ordeal
  const { deadlineMs = 90_000, strike, judge, tells = [], ps = 1, workers = 2, ...rest } = ordeal
  const how = { batch: 32, paceMs: 25, seed: scale.seed }
  const training: TrainingOptions = { ...how, arrangement, steps, saveEverySteps, starts }
  const begun = performance.now()
  await using cluster = await Cluster.prepare({ ...rest, ps, workers, training, verbose: scale.verbose })
  const { journal } = cluster
  const leftMs = (): number => Math.max(1, begun + deadlineMs - performance.now())
  cluster.startAll()
  for (let worker = 0; worker < workers; worker++) await journal.more(`worker-${worker}`, 1, leftMs())
  const from = journal.entries.length
  await strike(cluster)
  const soonest = journal.step
  await cluster.finish(leftMs())
  const seconds = (performance.now() - begun) / 1000

  expectThat(
    'the fault came in the middle of training',
    soonest < steps,
    `over at step ${soonest} of ${steps}`,
  )
  expectThat(
    'all has ended within the deadline',
    seconds <= deadlineMs / 1000,
    `${seconds.toFixed(1)} s of ${deadlineMs / 1000} s`,
  )
  const left = cluster.left()
  expectThat(
    'no process is left',
    left.length === 0,
    `${left.length} of ${cluster.started} that were started, ${cluster.restarts} of them anew`,
  )
  await expectWhole(cluster.folder, training)
  await judge?.(cluster)
  for (const { what, by, line } of tells) {
    const entry = journal.find(by, line, from)
    expectThat(
      `the log says ${what}`,
      entry !== undefined,
      entry ? `${entry.name}: ${entry.line}` : `no ${line}`,
    )
  }
}

/** Says of the newest checkpoint of a folder that it is that of a training to which nothing has happened. */
async function expectWhole(folder: string, training: TrainingOptions): Promise<void> {
  const { named, globalStep, marks, mostOften, accuracy } = await outcomeOf(folder, training)
  const undisturbed = await undisturbedAccuracy(training)
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`
  expectThat(
    'the newest checkpoint is of the end',
    named >= training.steps && globalStep >= named,
    `of step ${named}, ${globalStep} are in it`,
  )
  expectThat('no step was applied twice', mostOften <= 1.01, `at most ${mostOften.toFixed(2)} times`)
  expectThat(
    'the global step counts the steps that the weights have seen',
    marks === globalStep,
    `step ${globalStep}, ${marks} in the ledger`,
  )
  expectThat(
    'it reads as well as without the fault',
    accuracy >= undisturbed - margin,
    `${percent(accuracy)} of new digits, ${percent(undisturbed)} without`,
  )
}
