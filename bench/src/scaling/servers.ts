// Replicas that share variables on parameter servers: servers, masters and workers as they are, on simulated machines.
import { device, type Node, reference, variable } from '@shoal/core'
import {
  AsyncReplicas,
  ClusterSpec,
  replicaDeviceSetter,
  replicaFilters,
  type Scenario,
  Server,
  ServerDef,
  type SimulatedProcess,
  SyncReplicas,
} from '@shoal/distributed'
import { gradientDescent } from '@shoal/train'
import type { Beginning } from './model.ts'
import { workerDevice } from './model.ts'
import type { Replica } from './replica.ts'

const port = 1

/** The nodes of a job, by task. */
export const serverNames = (count: number): string[] => Array.from({ length: count }, (_, i) => `ps${i}`)

/** Starts the parameter servers, and answers who the replicas are. The first one begins; the others wait for it. */
export async function joinServers(
  scenario: Scenario,
  workers: readonly string[],
  servers: readonly string[],
  beginning: Beginning,
  synchronous: boolean,
): Promise<readonly Replica[]> {
  const addresses = (names: readonly string[]): string[] => names.map((name) => `${name}:${port}`)
  const cluster = new ClusterSpec({ ps: addresses(servers), worker: addresses(workers) })
  const processOf = (name: string): SimulatedProcess => scenario.node(name).process
  for (const [task, name] of servers.entries()) {
    const { transport, clock, random } = processOf(name)
    const runtime = { devices: [reference()], transport, clock, random }
    await Server.start(new ServerDef({ cluster, job: 'ps', task }), runtime)
  }
  const begun = Promise.withResolvers<void>()
  const join = async (name: string, task: number): Promise<Replica> => {
    const process = processOf(name)
    const { transport, clock, random } = process
    const devices = [workerDevice(process, beginning.scale)]
    const def = new ServerDef({ cluster, job: 'worker', task })
    const server = await Server.start(def, { devices, transport, clock, random })
    const session = await server.session({ deviceFilters: replicaFilters({ job: 'worker', task }) })
    const place = replicaDeviceSetter({
      cluster,
      strategy: 'byBytes',
      workerDevice: `/job:worker/task:${task}`,
    })
    const { train, start } = device(place, () => build(task))
    if (task > 0) await begun.promise
    await session.initialize(train)
    if (task === 0 && start) await session.run(start)
    begun.resolve()
    return { name, step: () => session.run(train, beginning.feeds) }
  }
  const build = (replica: number): { readonly train: Node; readonly start?: Node } => {
    const globalStep = variable(0, { name: 'global_step', dtype: 'int32', trainable: false })
    const optimizer = gradientDescent({ learningRate: 0.1 })
    const options = { globalStep, replica, totalReplicas: workers.length }
    return synchronous
      ? new SyncReplicas(optimizer, beginning.build(), options)
      : new AsyncReplicas(optimizer, beginning.build(), options)
  }
  return Promise.all(workers.map(join))
}
