// A server: one task of a cluster. It computes for masters (its worker), and is the master of the sessions that are opened at it.
import type { Device } from '@shoal/core'
import { ClosedError, Session, type SessionOptions, type SessionTarget } from '@shoal/core'
import { type Clock, systemClock } from '../clock.ts'
import { ClusterSpec, localJob } from '../cluster/clusterSpec.ts'
import { ServerDef } from '../cluster/serverDef.ts'
import { ClusterTarget } from '../master/clusterTarget.ts'
import { type ClientOptions, MasterService } from '../master/masterService.ts'
import type { Connection, Listener, Transport } from '../transport/contract.ts'
import { formatAddress, parseAddress } from '../transport/address.ts'
import { InProcessTransport } from '../transport/inProcess.ts'
import { Worker, type WorkerOptions } from '../worker/worker.ts'
import { everyoneLives, type Liveness } from '../supervise/liveness.ts'
import { Peers } from './peers.ts'
import { servingWatch, type StartAttention, Watch } from './watch.ts'

/** What a server runs on. */
export interface ServerRuntime {
  /** In order of preference. The server closes them in the end, and where it cannot start. */
  readonly devices: readonly Device[]
  /** How it is reached and reaches others: sockets with the node's credentials, or what connects the parts of one process. */
  readonly transport: Transport
  /** Milliseconds after which a tensor that another worker should send is given up. Default 600,000. */
  readonly recvDeadlineMs?: number
  /** The time that attempts, deadlines and turns are counted in. Default: the system's. */
  readonly clock?: Clock
  /** Numbers from 0 to 1 that pauses between attempts vary by. Default: `Math.random`. */
  readonly random?: () => number
  /** The host to listen at: '0.0.0.0' for every interface. Default: the one by which the cluster names this task. */
  readonly host?: string | undefined
  /** How signs of life are taken and given, so that it is known who is dead. Default: they are not, and everyone counts as alive. */
  readonly attend?: StartAttention
  /** One line for whatever a person should know: who was refused, what ops print. Default: nowhere. */
  readonly log?: (line: string) => void
}

/** Milliseconds in which a step's other tasks are reached: the master reached all of them, so that they are there, or the step is lost. */
const reachMs = 10_000

/** One task of a cluster, which runs from `start` until `close`. */
export class Server implements AsyncDisposable {
  readonly def: ServerDef
  /** Who of the cluster lives, as far as this task knows. */
  readonly liveness: Liveness
  /** Where it says what a person should know, one line at a time; sessions of this task say theirs there too. */
  readonly log: (line: string) => void
  private readonly watch: Watch | undefined
  private readonly worker: Worker
  private readonly master: MasterService
  private readonly peers: Peers
  private readonly runtime: ServerRuntime
  private readonly within: InProcessTransport
  private readonly incoming = new Set<Connection>()
  private readonly ended = Promise.withResolvers<void>()
  private listener: Listener | undefined
  private closing: Promise<void> | undefined

  private constructor(def: ServerDef, runtime: ServerRuntime) {
    const { job, task, cluster } = def
    const own = { job, task }
    this.def = def
    this.runtime = runtime
    const { devices, transport, attend, recvDeadlineMs = 600_000, random, log = () => {} } = runtime
    this.log = log
    const { clock = systemClock } = runtime
    this.within = new InProcessTransport({ cluster: '', node: def.name, role: job }, { clock })
    this.peers = new Peers({
      cluster,
      own,
      transport,
      clock,
      ...(random && { random }),
      toSelf: () => this.within.connect(def.name, {}),
      connected: (connection) => this.serve(connection),
    })
    const connect: WorkerOptions['connect'] = (to, signal, known) =>
      this.peers.connect(to, Math.min(reachMs, recvDeadlineMs), signal, known)
    this.worker = new Worker({ own, devices, connect, recvDeadlineMs, log, clock: runtime.clock })
    this.master = new MasterService((options) => this.target(options))
    const { devices: known } = this.worker.status
    const means = { connect: this.peers.connect.bind(this.peers), clock, log }
    this.watch = attend && new Watch({ def, host: runtime.host, start: attend, devices: known, ...means })
    this.liveness = this.watch ?? everyoneLives
  }

  /**
   * Starts a task of a cluster: from then on others reach it at its address.
   * @throws ConnectError or SecurityError where it cannot listen there.
   */
  static async start(def: ServerDef, runtime: ServerRuntime): Promise<Server> {
    const server = new Server(def, runtime)
    try {
      await server.listen()
    } catch (error) {
      await server.close()
      throw error
    }
    return server
  }

  /** Where it is reached; undefined for an evaluator that is not in the cluster. */
  get address(): string | undefined {
    return this.listener?.address
  }

  /**
   * Opens a session on the cluster whose master is this server: for `new Session({ target })`.
   * @throws UnavailableError naming every task that did not come in time.
   */
  target(options: ClientOptions & { readonly signal?: AbortSignal } = {}): Promise<ClusterTarget> {
    if (this.closing) throw new ClosedError('the server was closed')
    const { cluster, job, task, session } = this.def
    return ClusterTarget.open({
      ...(session.deviceFilters && { deviceFilters: session.deviceFilters }),
      ...options,
      cluster,
      own: { job, task },
      connect: (to, deadlineMs, signal) => this.peers.connect(to, deadlineMs, signal),
    })
  }

  /** A session on the cluster, made as the server's definition says where the options do not. */
  async session(
    options: Omit<SessionOptions, 'devices' | 'target'> &
      ClientOptions & { readonly signal?: AbortSignal } = {},
  ): Promise<Session> {
    const { deviceFilters: ours, ...defaults } = this.def.session
    const { deviceFilters = ours, isolated, startDeadlineMs, stepDeadlineMs, signal, ...rest } = options
    const how = { deviceFilters, isolated, startDeadlineMs, stepDeadlineMs, signal }
    const target: SessionTarget = await this.target(given(how))
    const { clock } = this.runtime
    return new Session({ ...(clock && { clock }), ...defaults, ...rest, target })
  }

  /** Settles when the server has been closed. */
  join(): Promise<void> {
    return this.ended.promise
  }

  /** Ends all sessions and connections, and closes the devices. @throws what closing a device throws; the server has ended nevertheless. */
  close(): Promise<void> {
    this.closing ??= this.shutDown()
    return this.closing
  }
  /** @see close */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  private async listen(): Promise<void> {
    const { address, name } = this.def
    const { log } = this
    const { transport } = this.runtime
    const connected = (connection: Connection): void => {
      this.incoming.add(connection)
      void connection.closed.then(() => this.incoming.delete(connection))
      this.serve(connection)
    }
    await this.within.listen(name, { connected })
    if (address === undefined) return
    const refuse = afresh((message) => log(`${name}: refused a connection: ${message}`))
    const refused = ({ message }: Error): void => refuse(message)
    this.listener = await transport.listen(at(address, this.runtime.host), { connected, refused })
    await this.watch?.begin()
  }

  private serve(connection: Connection): void {
    connection.serve({
      ...this.worker.methods(connection),
      ...this.master.methods(connection),
      ...Object.fromEntries([servingWatch(this.watch)]),
    })
  }

  private async shutDown(): Promise<void> {
    try {
      await this.watch?.close()
      await this.listener?.close()
      await this.worker.shutDown()
      await this.peers.close()
      await Promise.all([...this.incoming].map((connection) => connection.close()))
      for (const device of this.runtime.devices) await device[Symbol.asyncDispose]()
    } finally {
      // Whoever waits for the end has nothing more to wait for, also where it went wrong.
      this.ended.resolve()
    }
  }
}

/** Says what it has not said just before: whoever is refused tries again and again. */
export function afresh(say: (line: string) => void): (line: string) => void {
  let last = ''
  return (line) => {
    if (line !== last) say(line)
    last = line
  }
}

/** What was given of some options. */
const given = <T extends object>(options: { [K in keyof T]: T[K] | undefined }): Partial<T> =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>

/** A cluster of one task in this process, for trying things out: `/job:localhost/task:0`. */
export const createLocalServer = (devices: readonly Device[]): Promise<Server> =>
  Server.start(
    new ServerDef({ cluster: new ClusterSpec({ [localJob]: ['localhost:0'] }), job: localJob, task: 0 }),
    { devices, transport: new InProcessTransport({ cluster: '', node: 'localhost', role: 'localhost' }) },
  )

const at = (address: string, host: string | undefined): string =>
  host === undefined ? address : formatAddress({ ...parseAddress(address), host })
