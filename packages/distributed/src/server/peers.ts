// The connections of one task to the others: made when they are needed, shared by all who need them, made again when they were lost.
import { formatDeviceName } from '@shoal/core'
import { type Clock, systemClock } from '../clock.ts'
import type { ClusterSpec } from '../cluster/clusterSpec.ts'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { asError, CancelledError, SecurityError, UnavailableError } from '../errors.ts'
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
  readonly clock?: Clock
}

/** Milliseconds between attempts: from the first to the second, and at most; each is 1.6 times the one before. */
const pauses = { first: 100, most: 2000, factor: 1.6 }
/** Milliseconds that one attempt may take. */
const attemptMs = 5000

/** Connections by task. */
export class Peers {
  private readonly options: PeerOptions
  private readonly clock: Clock
  private readonly open = new Map<string, Promise<Connection>>()
  private readonly closing = new AbortController()

  constructor(options: PeerOptions) {
    this.options = options
    this.clock = options.clock ?? systemClock
  }

  /**
   * The connection to a task, which may be the own one. Attempts go on until the deadline: others may start later than this one.
   * @throws UnavailableError naming the task, its address and what went wrong last; SecurityError at once; ClusterError where there is no such task.
   */
  async connect(task: TaskName, deadlineMs: number, signal?: AbortSignal): Promise<Connection> {
    const name = formatDeviceName(task)
    const until = this.clock.now() + deadlineMs
    let pause = pauses.first
    for (;;) {
      const leftMs = until - this.clock.now()
      try {
        return await this.attempt(name, task, Math.min(attemptMs, Math.max(1, leftMs)))
      } catch (error) {
        if (error instanceof SecurityError || this.closing.signal.aborted) throw error
        const { address } = this.addressOf(task)
        if (this.clock.now() + pause >= until)
          throw new UnavailableError(
            `${name} at ${address} could not be reached within ${deadlineMs} ms: ${asError(error).message}`,
            { cause: error },
          )
        await this.wait(pause, signal)
        pause = Math.min(pauses.most, pause * pauses.factor)
      }
    }
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    this.closing.abort(new CancelledError('the server was closed'))
    const ends = [...this.open.values()].map(async (opening) => (await opening).close())
    // Those that were still being made fail, which is their end as well.
    await Promise.allSettled(ends)
  }

  private addressOf({ job, task }: TaskName): { readonly address: string } {
    return { address: this.options.cluster.addressOf(job, task) }
  }

  /** One attempt, shared by all who want the same task at the same time. */
  private attempt(name: string, task: TaskName, deadlineMs: number): Promise<Connection> {
    this.closing.signal.throwIfAborted()
    const known = this.open.get(name)
    if (known) return known
    const { own, transport, toSelf, connected } = this.options
    const isSelf = task.job === own.job && task.task === own.task
    const connecting = async (): Promise<Connection> => {
      const { signal } = this.closing
      const connection = isSelf
        ? await toSelf()
        : await transport.connect(this.addressOf(task).address, { deadlineMs, signal })
      if (!isSelf) connected(connection)
      void connection.closed.then(forget)
      return connection
    }
    const made = connecting()
    const forget = (): void => {
      if (this.open.get(name) === made) this.open.delete(name)
    }
    this.open.set(name, made)
    made.catch(forget)
    return made
  }

  private wait(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const signals = [this.closing.signal, ...(signal ? [signal] : [])]
    const ended = AbortSignal.any(signals)
    ended.throwIfAborted()
    return new Promise((resolve, reject) => {
      const disarm = this.clock.after(ms, () => {
        ended.removeEventListener('abort', stop)
        resolve()
      })
      const stop = (): void => {
        disarm()
        reject(ended.reason as Error)
      }
      ended.addEventListener('abort', stop, { once: true })
    })
  }
}
