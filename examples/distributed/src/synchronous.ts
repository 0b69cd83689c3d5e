// Synchronous training with parameter servers: three workers, two of whose gradients make a step; whoever is third is a backup.
import { constant, device, variable } from '@shoal/core'
import { monitoredSession, replicaDeviceSetter, SyncReplicas } from '@shoal/distributed'
import { lenet } from '@shoal/example-lenet/model'
import { readDigits } from '@shoal/example-parts'
import { allVariables, evaluate, lossGradients, momentum } from '@shoal/train'
import { type Arrangement, type Claim, reads, type Task, type TrainingOptions } from './training.ts'

/** Two parameter servers, three workers of which one is a backup. */
export const synchronous: Arrangement = {
  about: 'three workers, the first two of whose gradients make each step on two parameter servers',
  jobs: { ps: 2, worker: 3 },
  serving: ['ps'],
  defaults: { whole: { steps: 700, batch: 32 }, short: { steps: 90, batch: 16 } },
  run: trainReplica,
}

async function trainReplica(
  task: Task,
  { steps, batch, seed, short }: TrainingOptions,
): Promise<readonly Claim[]> {
  const server = await task.startServer()
  const { cluster, name, isChief, task: replica } = server.def
  const totalReplicas = cluster.taskCount('worker')
  const onReplicas = replicaDeviceSetter({ cluster, strategy: 'byBytes', workerDevice: name })
  const { network, sync, globalStep } = device(onReplicas, () => {
    const network = lenet({ dropoutRate: 0 })
    const globalStep = variable(constant(0, 'int32'), { name: 'globalStep', trainable: false })
    const gradients = lossGradients(network.training.loss)
    const options = { globalStep, replica, totalReplicas, replicasToAggregate: totalReplicas - 1 }
    const sync = new SyncReplicas(momentum({ learningRate: 0.05 }), gradients, options)
    return { network, sync, globalStep }
  })
  await using training = await monitoredSession({
    server,
    variables: allVariables(sync.train, network.testing.loss),
    globalStep,
    sync,
    session: { seed },
  })
  const sizes = short ? { train: 3000, test: 500 } : {}
  const digits = await readDigits({ seed: seed + replica, batchSize: batch, ...sizes })
  for await (const digit of digits.train.repeat()) {
    const done = await training.run({ loss: network.training.loss, step: sync.train }, { ...digit })
    if (done && training.batch % Math.ceil(steps / 4) === 0)
      console.log(`step ${training.step}: loss of its own ${Number(done.loss.item()).toFixed(3)}`)
    if (training.step >= steps) training.stop('all steps are done')
    if (training.shouldStop) break
  }
  if (!isChief) return []
  const status = await training.session.run(sync.status())
  const { accuracy = 0 } = await evaluate({
    session: training.session,
    data: digits.test,
    fetches: { ...network.testing },
    feed: (digit) => ({ ...digit }),
  })
  const made = status.map(({ step }) => Number(step.item()))
  const dropped = status.map((one) => Number(one.dropped.item()))
  return [
    {
      claim: 'every server made all steps',
      holds: made.every((step) => step >= steps),
      figures: `${made.join(' and ')} of ${steps}; ${dropped.join(' and ')} gradients came late and were dropped`,
    },
    reads(accuracy, short ? 0.7 : 0.97),
  ]
}
