// Whole sessions on a cluster: parameter servers in the far process, the worker that asks them in this one.
import { device, fill, gather, mul, NDArray, placeholder, type Session, slice, variable } from '@shoal/core'
import { ClusterSpec, Server, ServerDef } from '@shoal/distributed'
import { type NodeCredentials, SocketTransport } from '@shoal/distributed/node'
import { cpu } from '@shoal/kernels-cpu'
import type { Link } from './carrier.ts'

/** The last address is the worker's. */
const clusterOf = (addresses: readonly string[]): ClusterSpec =>
  new ClusterSpec({ ps: addresses.slice(0, -1), worker: addresses.slice(-1) })

/** A cluster on this machine, as its processes have to know it. */
export interface ClusterPlace {
  readonly addresses: readonly string[]
  readonly link: Exclude<Link, 'threads'>
  readonly credentials: NodeCredentials
}

const start = ({ addresses, link, credentials }: ClusterPlace, job: string, task: number): Promise<Server> =>
  Server.start(new ServerDef({ cluster: clusterOf(addresses), job, task }), {
    devices: [cpu({ threads: 1 })],
    transport: new SocketTransport(link === 'TLS' ? { credentials } : { insecure: true, log: () => {} }),
  })

/** Serves the parameter servers of a cluster, all in this process. */
export async function serveTasks(place: ClusterPlace): Promise<void> {
  for (const task of clusterOf(place.addresses).tasksOf('ps')) await start(place, 'ps', task)
}

/** The session of a worker. Both end with the process. */
export class ClusterSession {
  readonly #session: Session

  private constructor(session: Session) {
    this.#session = session
  }

  /** Joins the parameter servers at all addresses but the last. */
  static async open(place: ClusterPlace): Promise<ClusterSession> {
    const server = await start(place, 'worker', 0)
    return new ClusterSession(await server.session())
  }

  /** A step that fetches a scalar from each of so many tasks. */
  async nullStep(tasks: number): Promise<() => Promise<void>> {
    const session = this.#session
    const scalars = Array.from({ length: tasks }, (_, task) =>
      device(`/job:ps/task:${task}`, () => variable(task, { name: `scalar${tasks}of${task}` })),
    )
    await session.initialize(...scalars)
    return async () => {
      await session.run(scalars)
    }
  }

  /** A step in which the worker gets 32 rows of a table that a parameter server holds; which ones changes from step to step. */
  async rows(count: number, columns: number): Promise<() => Promise<void>> {
    const session = this.#session
    const asked = placeholder({ shape: [32], dtype: 'int32', name: 'asked' })
    const found = device('/job:ps/task:0', () =>
      gather(variable(fill({ shape: [count, columns], value: 1 }), { name: 'table' }), asked),
    )
    const used = device('/job:worker/task:0', () => mul(found, 2))
    await session.initialize(used)
    let step = 0
    return async () => {
      step++
      // A stride that has no factor in common with the size walks through all rows.
      const indices = Int32Array.from({ length: 32 }, (_, i) => ((32 * step + i) * 40_503) % count)
      await session.run(used, { asked: new NDArray('int32', [32], indices) })
    }
  }

  /** A step in which the worker gets so many bytes of a parameter server and brings it as many. */
  async dense(bytes: number): Promise<() => Promise<void>> {
    const session = this.#session
    const ofShape = (value: number) => fill({ shape: [bytes / 4], value })
    const model = device('/job:ps/task:0', () => variable(ofShape(1), { name: 'model' }))
    const update = device('/job:worker/task:0', () => variable(ofShape(2), { name: 'update' }))
    await session.initialize(model, update)
    // Nearly nothing is computed, of all that is fetched.
    const used = device('/job:worker/task:0', () => slice(model, { begin: [0], size: [1] }))
    const brought = device('/job:ps/task:0', () => model.assign(update))
    return async () => {
      await session.run([used, brought.node])
    }
  }
}
