// Clusters within one process, for tests: real servers, masters and workers, whose messages are handed over instead of sent.
import type { Device } from '@shoal/core'
import { reference } from '@shoal/core'
import { ClusterSpec, type ClusterDef } from '../cluster/clusterSpec.ts'
import { ServerDef } from '../cluster/serverDef.ts'
import { InProcessTransport } from '../transport/inProcess.ts'
import { Server, type ServerRuntime } from './server.ts'

/** The servers of a cluster in the order of its tasks, and the network that they are in. */
export interface TestCluster extends AsyncDisposable {
  readonly spec: ClusterSpec
  readonly network: InProcessTransport
  readonly servers: readonly Server[]
  /** Starts a task, for the first time or anew. */
  start(job: string, task: number, options?: Partial<ServerRuntime>): Promise<Server>
}

/** Starts every task of a cluster. */
export async function startCluster(
  jobs: ClusterDef,
  devices: () => readonly Device[] = () => [reference()],
): Promise<TestCluster> {
  const spec = new ClusterSpec(jobs)
  const network = new InProcessTransport({ cluster: 'test', node: 'network', role: '' })
  const started: Server[] = []
  const start: TestCluster['start'] = async (job, task, options) => {
    const def = new ServerDef({ cluster: spec, job, task })
    const transport = network.as({ cluster: 'test', node: `${job}-${task}`, role: job })
    const server = await Server.start(def, { devices: devices(), transport, ...options })
    started.push(server)
    return server
  }
  const servers: Server[] = []
  for (const { job, task } of spec.entries()) servers.push(await start(job, task))
  return {
    spec,
    network,
    servers,
    start,
    async [Symbol.asyncDispose]() {
      await Promise.all(started.map((server) => server.close()))
    },
  }
}
