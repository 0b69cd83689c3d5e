// How tasks of a job reach each other: an address is the name of a task, and the agents carry the bytes.
import {
  asError,
  attempt,
  type Clock,
  type Connection,
  ConnectError,
  type ConnectOptions,
  connectSocket,
  type Listener,
  type ListenOptions,
  type PeerIdentity,
  type StreamOptions,
  systemClock,
  type Transport,
} from '@shoal/distributed/peers'
import type { Socket } from 'node:net'
import type { TaskPort } from './taskPort.ts'
import { taskName } from './taskContext.ts'

/** Milliseconds in which a task that opened a stream has to speak. */
const openingMs = 10_000

/**
 * Connects the tasks of one attempt of a job. Who is at the other end is what the agents say, who made sure; no task can be taken for another.
 */
export class AgentTransport implements Transport, AsyncDisposable {
  readonly #port: TaskPort
  readonly #own: string
  readonly #options: StreamOptions
  readonly #clock: Clock
  #listening: ListenOptions | undefined
  #isHeard = false
  readonly #connections = new Set<Connection>()

  /** @param options of the connections. */
  constructor(port: TaskPort, options: StreamOptions = {}) {
    this.#port = port
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#own = taskName(port.assignment.task)
  }

  /** Listens as this task: it has no other address. @throws ConnectError for the address of another task, and where somebody listens already. */
  async listen(address: string, options: ListenOptions): Promise<Listener> {
    if (address !== this.#own)
      throw new ConnectError(`'${this.#own}' cannot listen as '${address}': a task has one address, its name`)
    if (this.#listening)
      throw new ConnectError(
        `'${address}' is taken in this task: it has one server, or one replica of a training, at a time`,
      )
    this.#listening = options
    if (!this.#isHeard) this.#port.onIncoming((from, socket) => void this.#accept(from, socket))
    this.#isHeard = true
    return {
      address,
      close: async () => {
        if (this.#listening === options) this.#listening = undefined
      },
    }
  }

  /** @see Transport */
  connect(address: string, options: ConnectOptions): Promise<Connection> {
    const { services } = this.#port
    return attempt(`connecting to ${address}`, options, this.#clock, async (signal) => {
      let socket: Socket
      try {
        socket = await services.connect(address, { signal })
      } catch (thrown) {
        throw new ConnectError(`${address} cannot be reached: ${asError(thrown).message}`, { cause: thrown })
      }
      // Nobody waits for it any more.
      if (signal.aborted) socket.destroy()
      return this.#speak(socket, address, { deadlineMs: options.deadlineMs, signal })
    })
  }

  async #accept(from: string, socket: Socket): Promise<void> {
    const listening = this.#listening
    // As at a port where nobody listens: whoever connects learns it, and tries again.
    if (!listening) return void socket.destroy()
    try {
      listening.connected(await this.#speak(socket, from, { deadlineMs: openingMs }))
    } catch (thrown) {
      listening.refused?.(asError(thrown))
    }
  }

  /** Ends all connections, when what was said over them has left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listening = undefined
    await Promise.all([...this.#connections].map((connection) => connection.close()))
  }

  async #speak(socket: Socket, task: string, options: ConnectOptions): Promise<Connection> {
    const clock = this.#clock
    const { frames } = this.#options
    const how = { ...options, clock, ...(frames && { frames }) }
    const connection = await connectSocket(socket, this.#identityOf(task), how)
    this.#connections.add(connection)
    void connection.closed.then(() => this.#connections.delete(connection))
    return connection
  }

  #identityOf(task: string): PeerIdentity {
    const [role = ''] = task.split(':')
    return { cluster: this.#port.assignment.jobId, node: task, role }
  }
}
