// Asynchronous training with parameter servers: each worker takes steps at its own pace, on weights that all share.
import { constant, device, variable } from '@shoal/core'
import { monitoredSession, replicaDeviceSetter } from '@shoal/distributed'
import { lenet } from '@shoal/example-lenet/model'
import { readDigits } from '@shoal/example-parts'
import { allVariables, evaluate, momentum } from '@shoal/train'
import { type Arrangement, type Claim, reads, type Task, type TrainingOptions } from './training.ts'

/** Two parameter servers, three workers. */
export const asynchronous: Arrangement = {
  about: 'three workers take steps at their own pace, on weights that two parameter servers hold',
  jobs: { ps: 2, worker: 3 },
  serving: ['ps'],
  defaults: { whole: { steps: 900, batch: 64 }, short: { steps: 240, batch: 32 } },
  run: trainReplica,
}

async function trainReplica(
  task: Task,
  { steps, batch, seed, short }: TrainingOptions,
): Promise<readonly Claim[]> {
  const server = await task.startServer()
  const { cluster, name, isChief } = server.def
  const onReplicas = replicaDeviceSetter({ cluster, strategy: 'byBytes', workerDevice: name })
  const { network, step, globalStep } = device(onReplicas, () => {
    const network = lenet({ dropoutRate: 0 })
    const globalStep = variable(constant(0, 'int32'), { name: 'globalStep', trainable: false })
    // Steps that overlap act as momentum of their own (Mitliagkas et al., 2016): less of it is wanted here.
    const optimizer = momentum({ learningRate: 0.05, momentum: 0.5 })
    return { network, step: optimizer.minimize(network.training.loss, { globalStep }), globalStep }
  })
  const variables = allVariables(step, network.testing.loss)
  await using training = await monitoredSession({
    server,
    variables,
    globalStep,
    session: { seed },
  })
  const sizes = short ? { train: 3000, test: 500 } : {}
  const digits = await readDigits({ seed: seed + server.def.task, batchSize: batch, ...sizes })
  for await (const digit of digits.train.repeat()) {
    const done = await training.run({ loss: network.training.loss, step }, { ...digit })
    if (done && training.batch % 20 === 0)
      console.log(
        `step ${training.batch} of its own, ${training.step} of all: loss ${Number(done.loss.item()).toFixed(3)}`,
      )
    if (training.step >= steps) training.stop('all steps are done')
    if (training.shouldStop) break
  }
  if (!isChief) return []
  const { accuracy = 0 } = await evaluate({
    session: training.session,
    data: digits.test,
    fetches: { ...network.testing },
    feed: (digit) => ({ ...digit }),
  })
  return [
    {
      claim: 'all steps were counted',
      holds: training.step >= steps,
      figures: `${training.step} of ${steps}`,
    },
    reads(accuracy, short ? 0.7 : 0.97),
  ]
}
