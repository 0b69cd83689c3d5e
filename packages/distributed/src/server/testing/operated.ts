// A program as operators start it: TF_CONFIG says which task of which cluster it is, its exit code whether it may be started again.
import { reference, Session } from '@shoal/core'
import { Checkpoints } from '@shoal/train/node'
import { pause } from '../../backoff.ts'
import { systemClock } from '../../clock.ts'
import { readTfConfig } from '../../cluster/tfConfig.ts'
import type { NodeCredentials } from '../../security/identity.ts'
import { exitCodeOf } from '../../supervise/exitCode.ts'
import { monitoredSession } from '../../supervise/monitoredSession.ts'
import { termination } from '../../supervise/termination.ts'
import { linearBatch, linearModel } from '../../supervise/testing/linearModel.ts'
import { createLocalServer, type Server } from '../server.ts'
import { startServer } from '../startServer.ts'

/** What an operator mounts beside TF_CONFIG. */
export interface OperatedOptions {
  readonly credentials: NodeCredentials
  /** Where checkpoints are, for all. */
  readonly folder: string
  /** The global step at which the chief has all stop. */
  readonly steps: number
  readonly startDeadlineMs: number
}

const { credentials, folder, steps, startDeadlineMs } = JSON.parse(process.argv[2]!) as OperatedOptions
const log = console.log
const asked = termination()
const ended = new Promise<void>((resolve) => asked.addEventListener('abort', () => resolve()))
const checkpoints = new Checkpoints(folder)

async function train(server: Server): Promise<void> {
  const { cluster, job, task } = server.def
  const { fetches, globalStep, variables } = linearModel(cluster, task, job)
  await using training = await monitoredSession({
    server,
    variables,
    globalStep,
    checkpoints,
    session: { startDeadlineMs },
    maxRestarts: 1,
    log,
  })
  let batch = 100_000 * task
  while (!training.shouldStop && !asked.aborted) {
    await training.run(fetches, linearBatch(batch++))
    if (training.isChief && training.step >= steps) training.stop('it has learned enough')
    if (training.batch % 200 === 1) log(`has done ${training.batch} steps`)
  }
  const learned = await training.session.run(variables)
  log(`learned ${JSON.stringify(learned.map((value) => value.toArray()))}`)
}

/** Says of each new checkpoint how good it is, until the last one. */
async function evaluate(): Promise<void> {
  const { cluster, job, task } = readTfConfig(process.env)!.server
  const { fetches, variables } = linearModel(
    cluster.filter(() => false),
    task,
    job,
  )
  await using session = new Session({ devices: [reference()] })
  let seen = -1
  while (seen < steps) {
    const newest = (await checkpoints.list()).at(-1)?.step ?? -1
    if (newest === seen) await pause(100, systemClock, asked)
    else {
      seen = (await checkpoints.restore(session, variables)).step
      const loss = (await session.run(fetches.loss, linearBatch(-1))).number()
      log(`step ${seen} has loss ${loss}`)
    }
  }
}

async function run(): Promise<void> {
  const config = readTfConfig(process.env)
  if (config?.server.job === 'evaluator') return evaluate()
  await using server = config
    ? await startServer(config.server, { devices: [reference()], credentials, log })
    : await createLocalServer([reference()])
  log(`serves as ${server.def.name}`)
  if (server.def.job !== 'ps') await train(server)
  else await Promise.race([server.join(), ended])
}

try {
  await run()
  asked.throwIfAborted()
} catch (error) {
  log(`ends: ${String(error)}`)
  process.exitCode = exitCodeOf(error)
}
