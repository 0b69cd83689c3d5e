// One task of a cluster as a process of its own: a parameter server, or a worker that trains a small model when it is told to.
import { reference } from '@shoal/core'
import { Checkpoints } from '@shoal/train/node'
import { ServerDef } from '../../cluster/serverDef.ts'
import { Server } from '../../server/server.ts'
import { SocketTransport } from '../../transport/socket.ts'
import { DirectoryLease } from '../directoryLease.ts'
import { exitCodeOf } from '../exitCode.ts'
import { monitoredSession } from '../monitoredSession.ts'
import { linearBatch, linearModel } from './linearModel.ts'
import type { News, Order, TaskOptions } from './protocol.ts'

const { credentials, folder, saveEverySteps, ...place } = JSON.parse(process.argv[2]!) as TaskOptions
const tell = (news: News): void => void process.send!(news)
const log = (line: string): void => tell({ kind: 'log', line })

async function serve(server: Server): Promise<void> {
  process.once('SIGTERM', () => void server.close())
  log('serves')
  await server.join()
}

async function train(server: Server): Promise<void> {
  const { task, cluster } = server.def
  const { fetches, globalStep, variables } = linearModel(cluster, task)
  const dead = new Set<string>()
  const orders: Order[] = []
  let arrived = Promise.withResolvers<void>()
  process.on('message', (order: Order) => {
    if (order.kind === 'dead') {
      dead.clear()
      order.tasks.forEach((name) => dead.add(name))
    } else orders.push(order)
    arrived.resolve()
  })
  await using training = await monitoredSession({
    server,
    variables,
    globalStep,
    checkpoints: new Checkpoints(folder, { log }),
    lease: new DirectoryLease(folder),
    saveEverySteps,
    liveness: { isAlive: (other) => !dead.has(`${other.job}-${other.task}`) },
    log,
  })
  // Batches of its own, other ones after each start.
  let batch = 100_000 * task + training.step
  while (!training.shouldStop) {
    const order = orders.shift()
    if (!order) {
      await arrived.promise
      arrived = Promise.withResolvers()
    } else if (order.kind === 'stop') training.stop('the test has seen enough')
    else if (order.kind === 'steps') {
      let loss = Number.NaN
      for (let i = 0; i < order.count && !training.shouldStop; i++) {
        const values = await training.run(fetches, linearBatch(batch++))
        if (values) loss = Number(values.loss.item())
        tell({ kind: 'step', step: training.step, stopped: training.shouldStop })
      }
      tell({ kind: 'done', step: training.step, loss })
    }
  }
}

try {
  await using server = await Server.start(new ServerDef(place), {
    devices: [reference()],
    transport: new SocketTransport({ credentials }),
    log,
  })
  await (place.job === 'ps' ? serve(server) : train(server))
} catch (error) {
  log(`ends: ${String(error)}`)
  process.exitCode = exitCodeOf(error)
}
process.disconnect()
