// The connections of one task to the others: made when they are needed, shared by all who need them, made again when they were lost.
import { formatDeviceName } from '@shoal/core'
import { persist } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import type { ClusterSpec } from '../cluster/clusterSpec.ts'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { asError, CancelledError, SecurityError, UnavailableError } from '../errors.ts'
import { demandTask } from '../security/taskIdentity.ts'
import type { Connection, Transport } from '../transport/contract.ts'

/** How others are reached. */
export interface PeerOptions {
  readonly cluster: ClusterSpec
  readonly own: TaskName
  readonly transport: Transport
  /** A connection of the task to itself. */
  readonly toSelf: () => Promise<Connection>
  /** Called with every new connection, before anybody else has it. */
  readonly connected: (connection: Connection) => void
  readonly clock: Clock
  /** Numbers from 0 to 1 that pauses vary by. Default: `Math.random`. */
  readonly random?: () => number
}

/** Connections by task. */
export class Peers {
  private readonly options: PeerOptions
  /** By task and address. */
  private readonly open = new Map<string, Promise<Connection>>()
  /** Those of them that are made. */
  private readonly ready = new Map<string, Connection>()
  private readonly closing = new AbortController()

  constructor(options: PeerOptions) {
    this.options = options
  }

  /**
   * The connection to a task, which may be the own one. Attempts go on until the deadline: others may start later than this one.
   * @param known where tasks are that the own cluster does not have: those that come and go.
   * @throws UnavailableError naming the task, its address and what went wrong last; SecurityError at once; ClusterError where there is no such task.
   */
  async connect(
    task: TaskName,
    deadlineMs: number,
    signal?: AbortSignal,
    known?: ClusterSpec,
  ): Promise<Connection> {
    const name = formatDeviceName(task)
    const { cluster, clock, random } = this.options
    const has = cluster.has(task.job, task.task) || !known
    const address = (has ? cluster : known).addressOf(task.job, task.task)
    // Every tensor of another task comes this way.
    const ready = this.ready.get(keyOf(task, address))
    if (ready) return ready
    const given = signal ? [signal] : []
    return persist(
      (leftMs) => this.attempt(task, address, leftMs),
      (error) =>
        new UnavailableError(
          `${name} at ${address} could not be reached within ${deadlineMs} ms: ${error.message}`,
          { cause: error },
        ),
      {
        deadlineMs,
        clock,
        signal: AbortSignal.any([this.closing.signal, ...given]),
        ...(random && { random }),
      },
    )
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.closing.abort(new CancelledError('the server was closed'))
    const ends = [...this.open.values()].map(async (opening) => (await opening).close())
    // Those that were still being made fail, which is their end as well.
    await Promise.allSettled(ends)
  }

  /** Ends a connection to a node that may not be this task. */
  private async demand(task: TaskName, address: string, connection: Connection): Promise<void> {
    try {
      demandTask(task, connection.peer)
    } catch (thrown) {
      const { message } = asError(thrown)
      const error = new SecurityError(`${address} is refused: ${message}`, { cause: thrown })
      await connection.close(error)
      throw error
    }
  }

  /** One attempt, shared by all who want the same task at the same time. */
  private attempt(task: TaskName, address: string, deadlineMs: number): Promise<Connection> {
    this.closing.signal.throwIfAborted()
    const name = keyOf(task, address)
    const known = this.open.get(name)
    if (known) return known
    const { own, transport, toSelf, connected } = this.options
    const isSelf = task.job === own.job && task.task === own.task
    const connecting = async (): Promise<Connection> => {
      const { signal } = this.closing
      const connection = isSelf ? await toSelf() : await transport.connect(address, { deadlineMs, signal })
      if (!isSelf) {
        await this.demand(task, address, connection)
        connected(connection)
      }
      if (this.open.get(name) === made) this.ready.set(name, connection)
      void connection.closed.then(forget)
      return connection
    }
    const made = connecting()
    const forget = (): void => {
      if (this.open.get(name) !== made) return
      this.open.delete(name)
      this.ready.delete(name)
    }
    this.open.set(name, made)
    made.catch(forget)
    return made
  }
}

const keyOf = (task: TaskName, address: string): string => `${formatDeviceName(task)} at ${address}`
