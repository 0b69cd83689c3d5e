// A worker that makes steps at its own pace, on weights that parameter servers hold. A step whose answer was lost is not made again.
import { device } from '@shoal/core'
import type { Server } from '@shoal/distributed'
import { AsyncReplicas, monitoredSession, replicaDeviceSetter } from '@shoal/distributed'
import { DirectoryLease } from '@shoal/distributed/node'
import { allVariables, lossGradients } from '@shoal/train'
import { Checkpoints } from '@shoal/train/node'
import { digitsOf } from './digits.ts'
import { classifier, optimizer } from './model.ts'
import { paced } from './paced.ts'
import { marksOf, type News, type TaskOptions, ticketsPerStart } from './protocol.ts'

/** Trains until all steps are done. */
export async function trainAsynchronously(
  server: Server,
  options: TaskOptions,
  tell: (news: News) => void,
): Promise<void> {
  const { steps, seed, saveEverySteps, folder, start, task } = options
  const log = (line: string): void => tell({ kind: 'log', line })
  const { cluster, name } = server.def
  const { network, replicas } = device(replicaDeviceSetter({ cluster, workerDevice: name }), () => {
    const network = classifier({ marks: marksOf(options), by: 'ticket' })
    const replicas = new AsyncReplicas(optimizer(), lossGradients(network.objective), {
      globalStep: network.globalStep,
      replica: task,
      totalReplicas: cluster.taskCount('worker'),
    })
    return { network, replicas }
  })
  const { loss, globalStep } = network
  await using training = await monitoredSession({
    server,
    variables: allVariables(replicas.train, loss),
    globalStep,
    checkpoints: new Checkpoints(folder, { log }),
    lease: new DirectoryLease(folder),
    saveEverySteps,
    session: { seed },
    log,
  })
  const digits = await digitsOf(options)
  // Tickets of this process alone: if a step were made twice, its ticket would tell.
  let ticket = start * ticketsPerStart(steps)
  for await (const digit of digits.train.shard(cluster.taskCount('worker'), task).repeat()) {
    if (training.step >= steps) training.stop('all steps are done')
    if (training.shouldStop) break
    await paced(options, () => training.run({ loss, step: replicas.train }, { ...digit, ticket: [ticket++] }))
    tell({ kind: 'step', step: training.step })
  }
}
