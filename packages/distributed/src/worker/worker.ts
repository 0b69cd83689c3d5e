// A worker: it keeps the sessions of masters, runs their partitions on the devices of its process, and hands tensors to other workers.
import type { Device, Signature } from '@shoal/core'
import { ClosedError, device as onDevice, formatDeviceName, NotFoundError } from '@shoal/core'
import type { Clock } from '../clock.ts'
import { ClusterSpec } from '../cluster/clusterSpec.ts'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { unavailable, UnavailableError } from '../errors.ts'
import { absolute } from '../protocol/events.ts'
import { callMethod, serving } from '../protocol/method.ts'
import * as protocol from '../protocol/worker.ts'
import type { Connection, Handler } from '../transport/contract.ts'
import { Container } from './container.ts'
import { sourceOf } from './registeredGraph.ts'
import type { Receive } from './step.ts'
import { WorkerSession } from './workerSession.ts'

/** What a worker is made of. */
export interface WorkerOptions {
  readonly own: TaskName
  /** In order of preference. The worker does not close them. */
  readonly devices: readonly Device[]
  /** A connection to another task, which is known to the cluster that is given if the server does not know it. */
  readonly connect: (task: TaskName, signal: AbortSignal, cluster: ClusterSpec) => Promise<Connection>
  /** Milliseconds after which a tensor that another worker should send is given up. */
  readonly recvDeadlineMs: number
  /** Where lines go that ops print. */
  readonly log: (line: string) => void
  /** The time in which runs leave turns to others. Default: the platform's. */
  readonly clock: Clock | undefined
}

const silent = { says: {}, tensors: [] }

/** The part of a server that computes. */
export class Worker {
  readonly incarnation = crypto.randomUUID()
  private readonly options: WorkerOptions
  /** What sessions share that are not isolated. */
  private readonly shared: Container
  private readonly sessions = new Map<string, WorkerSession>()

  constructor(options: WorkerOptions) {
    this.options = options
    this.shared = new Container(options.devices, options.own)
  }

  /** What others may know of it. */
  get status(): protocol.WorkerStatus {
    const devices = this.shared.target.named.map(({ device: { type, caps }, name }) => ({
      name: formatDeviceName(name),
      type,
      dtypes: [...caps.dtypes],
    }))
    return { incarnation: this.incarnation, devices }
  }

  /** What it serves on a connection; the sessions that are opened over it end with it. */
  methods(connection: Connection): Readonly<Record<string, Handler>> {
    const opened = new Set<string>()
    const end = async (id: string, reason: Error): Promise<void> => {
      opened.delete(id)
      await this.close(id, reason)
    }
    void connection.closed.then(async (reason) => {
      const why = `its master is gone: ${reason?.message ?? 'the connection was closed'}`
      await Promise.all([...opened].map((id) => end(id, new ClosedError(why))))
    })
    return Object.fromEntries([
      serving(protocol.openSession, ({ says }) => {
        this.open(says)
        opened.add(says.session)
        return silent
      }),
      serving(protocol.closeSession, async ({ says: { session } }) => {
        await end(session, new ClosedError('the session was closed'))
        return silent
      }),
      ...this.handlers,
    ])
  }

  /** Ends all sessions and gives all memory back. */
  async shutDown(): Promise<void> {
    // To those whose steps it ends, a server that is closed is one that is lost.
    const gone = new UnavailableError(`${formatDeviceName(this.options.own)} was shut down`)
    await Promise.all([...this.sessions.keys()].map((id) => this.close(id, gone)))
    this.shared.free()
  }

  private readonly handlers = [
    serving(protocol.getStatus, () => ({ says: this.status, tensors: [] })),
    serving(protocol.canRun, ({ says: { device, queries } }) => {
      const { devices } = this.options
      const asked = devices[device]
      if (!asked) throw new NotFoundError(`there is no device ${device}, only ${devices.length}`)
      const answers = queries.map(({ op, ...signature }) => asked.supports(op, signature as Signature))
      return { says: { answers }, tensors: [] }
    }),
    serving(protocol.registerGraph, async ({ says, tensors }) => {
      const { session, graph, parts, fetchCount, fusion, maxActivationBytes } = says
      const defs = parts.map((part, i) => ({ ...part, def: tensors[i] }))
      await this.session(session).register(graph, defs, fetchCount, { fusion, maxActivationBytes })
      return silent
    }),
    serving(protocol.deregisterGraph, ({ says: { session, graph } }) => {
      this.session(session).deregister(graph)
      return silent
    }),
    serving(protocol.runGraph, async ({ says, tensors }, { signal }) => {
      const receive = (step: number): Receive => this.receiver(says.session, step)
      const { fetches, events } = await this.session(says.session).run(
        { ...says, feeds: tensors },
        receive,
        signal,
      )
      return { says: { events: absolute(events) }, tensors: fetches }
    }),
    serving(protocol.recvTensor, async ({ says: { session, step, key } }, { signal }) => ({
      says: {},
      tensors: [await this.session(session).take(step, key, signal)],
    })),
    serving(protocol.cleanupStep, ({ says: { session, step, reason } }) => {
      this.session(session).cleanup(step, reason)
      return silent
    }),
    serving(protocol.initialized, ({ says: { session, variables } }) => {
      const { target } = this.session(session).container
      const resources = variables.map((v) => ({ ...v, kind: 'variable' as const, trainable: false }))
      return { says: { answers: target.initialized(resources) }, tensors: [] }
    }),
    serving(protocol.writeVariable, ({ says: { session, variable, device }, tensors: [value] }) => {
      const { container } = this.session(session)
      const resource = { ...variable, kind: 'variable' as const, trainable: false }
      onDevice(device, () => container.target.write(resource, value!, { softPlacement: false }))
      return silent
    }),
  ]

  private open({ session: id, isolated, cluster }: protocol.NewSession): void {
    if (this.sessions.has(id)) throw new ClosedError(`session ${id} is open already`)
    const { devices, own } = this.options
    const container = isolated ? new Container(devices, own) : this.shared
    this.sessions.set(id, new WorkerSession(container, new ClusterSpec(cluster), this.options))
  }

  private async close(id: string, reason: Error): Promise<void> {
    const session = this.sessions.get(id)
    if (!session) return
    this.sessions.delete(id)
    await session.close(reason)
    if (session.container !== this.shared) session.container.free()
  }

  private session(id: string): WorkerSession {
    const session = this.sessions.get(id)
    if (session) return session
    const name = formatDeviceName(this.options.own)
    throw new UnavailableError(
      `no session ${id} is open at ${name}: it was closed, or the worker was started anew`,
    )
  }

  /** Fetches tensors of a step from the workers that make them. */
  private receiver(session: string, step: number): Receive {
    return async (key, signal) => {
      const from = sourceOf(key)
      const where = formatDeviceName(from)
      try {
        const connection = await this.options.connect(from, signal, this.session(session).cluster)
        const says = { session, step, key }
        const deadlineMs = this.options.recvDeadlineMs
        const { tensors } = await callMethod(connection, protocol.recvTensor, says, { deadlineMs, signal })
        return tensors[0]!
      } catch (error) {
        throw unavailable(error, `'${key}' did not come from ${where}`)
      }
    }
  }
}
