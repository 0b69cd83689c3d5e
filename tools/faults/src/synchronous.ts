// A worker whose gradients make steps together with those of the others; who comes late goes on with the next one.
import { device } from '@shoal/core'
import type { Server } from '@shoal/distributed'
import { monitoredSession, replicaDeviceSetter, SyncReplicas } from '@shoal/distributed'
import { DirectoryLease } from '@shoal/distributed/node'
import { allVariables, lossGradients } from '@shoal/train'
import { Checkpoints } from '@shoal/train/node'
import { digitsOf } from './digits.ts'
import { classifier, optimizer } from './model.ts'
import { paced } from './paced.ts'
import { marksOf, type News, type TaskOptions } from './protocol.ts'

/** Trains until all steps are done: each is made of the gradients of all workers but one. */
export async function trainSynchronously(
  server: Server,
  options: TaskOptions,
  tell: (news: News) => void,
): Promise<void> {
  const { steps, seed, saveEverySteps, folder, task } = options
  const log = (line: string): void => tell({ kind: 'log', line })
  const { cluster, name } = server.def
  const totalReplicas = cluster.taskCount('worker')
  const { network, sync } = device(replicaDeviceSetter({ cluster, workerDevice: name }), () => {
    const network = classifier({ marks: marksOf(options), by: 'step' })
    const sync = new SyncReplicas(optimizer(), lossGradients(network.objective), {
      globalStep: network.globalStep,
      replica: task,
      totalReplicas,
      replicasToAggregate: Math.max(1, totalReplicas - 1),
    })
    return { network, sync }
  })
  const { loss, globalStep } = network
  await using training = await monitoredSession({
    server,
    variables: allVariables(sync.train, loss),
    globalStep,
    sync,
    checkpoints: new Checkpoints(folder, { log }),
    lease: new DirectoryLease(folder),
    saveEverySteps,
    session: { seed },
    log,
  })
  const digits = await digitsOf(options)
  for await (const digit of digits.train.shard(totalReplicas, task).repeat()) {
    if (training.step >= steps) training.stop('all steps are done')
    if (training.shouldStop) break
    await paced(options, () => training.run({ loss, step: sync.train }, { ...digit }))
    tell({ kind: 'step', step: training.step })
  }
}
