// Streams between the tasks of a job: within a node both processes get an end, and the agent sees no byte; between nodes the agents pipe them over TLS.
import {
  asError,
  type Clock,
  type Credentials,
  dial,
  type OtherProtocol,
  type PeerIdentity,
  systemClock,
} from '@shoal/distributed/peers'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { jobIdSchema } from '../jobs/spec.ts'
import { taskNameSchema } from './calls.ts'
import { StreamError } from './errors.ts'
import { readLine } from './readLine.ts'
import type { RunningTask } from './services.ts'
import { SocketPairs } from './socketPairs.ts'

/** What two agents say to each other at a node's port, by ALPN, to connect two tasks. */
export const streamProtocol = 'shoal-stream/1'

const headerSchema = z.object({
  jobId: jobIdSchema,
  attempt: z.int().min(0),
  /** `worker:0`: who opens it. */
  from: taskNameSchema,
  to: taskNameSchema,
})
/** Which two tasks a stream connects. */
export type StreamHeader = z.infer<typeof headerSchema>

const answerSchema = z.object({ refused: z.string().max(1000).optional() })

/** Where a task runs: on this node, or at another node's port. */
export type TaskPlace = 'here' | { readonly nodeId: string; readonly address: string }

/** What a relay has to know. */
export interface RelayOptions {
  /** Of this node. */
  readonly credentials: Credentials
  /** May this peer open such a stream? Only the node may on which `from` runs in that attempt. Throws, or answers whether. */
  readonly mayConnect: (header: StreamHeader, peer: PeerIdentity) => boolean
  /** The task that runs here; undefined where there is none. */
  readonly task: (header: StreamHeader) => Pick<RunningTask, 'incoming'> | undefined
  /** Default: the system's. */
  readonly clock?: Clock
}

/** How long a peer may take to say what it wants, and to be answered. */
const deadlineMs = 10_000
const maxHeaderBytes = 1024
/** A task may have so many streams to and from other nodes at a time. */
const maxStreams = 256
/** Silence after which the system asks whether the other machine is still there. */
const keepAliveMs = 5000

/** Makes the streams of all tasks of a node. */
export class StreamRelay implements AsyncDisposable {
  /** For the node's port, under `streamProtocol`. */
  readonly protocol: OtherProtocol = {
    accepted: (socket, peer) => void this.#accept(socket, peer!).catch(() => socket.destroy()),
  }
  readonly #options: RelayOptions
  readonly #clock: Clock
  readonly #pairs: SocketPairs
  readonly #counts = new Map<string, Count>()
  readonly #open = new Set<Socket>()

  private constructor(options: RelayOptions, pairs: SocketPairs) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#pairs = pairs
  }

  /** Makes ready for streams. */
  static async start(options: RelayOptions): Promise<StreamRelay> {
    return new StreamRelay(options, await SocketPairs.open())
  }

  /**
   * Opens a stream.
   * @returns the end of the task that opens it, unread: it can be handed over.
   * @throws StreamError where the task does not run there or refuses; ConnectError, SecurityError, DeadlineError, CancelledError as `dial`.
   */
  async connect(
    header: StreamHeader,
    place: TaskPlace,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<Socket> {
    signal.throwIfAborted()
    const [near, far] =
      place === 'here' ? await this.#within(header) : await this.#across(header, place, signal)
    try {
      signal.throwIfAborted()
      return near
    } catch (thrown) {
      near.destroy()
      far?.destroy()
      throw thrown
    }
  }

  /** Bytes that a task has sent to tasks on other nodes, and received from them. */
  traffic(jobId: string, task: string): ReturnType<RunningTask['traffic']> {
    return this.#counts.get(keyOf(jobId, task))?.total() ?? { sent: 0, received: 0 }
  }

  /** Forgets what was counted for a job. */
  forget(jobId: string): void {
    for (const key of this.#counts.keys()) if (key.startsWith(keyOf(jobId, ''))) this.#counts.delete(key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#open) socket.destroy()
    await this.#pairs[Symbol.asyncDispose]()
  }

  async #within(header: StreamHeader): Promise<readonly [Socket, undefined]> {
    const task = this.#taskOf(header)
    const [near, far] = await this.#pairs.pair()
    task.incoming(header.from, far)
    return [near, undefined]
  }

  async #across(
    header: StreamHeader,
    { nodeId, address }: Exclude<TaskPlace, 'here'>,
    signal: AbortSignal,
  ): Promise<readonly [Socket, Socket]> {
    const count = this.#countOf(header.jobId, header.from)
    const { credentials } = this.#options
    const { socket, peer } = await dial(address, {
      credentials,
      protocol: streamProtocol,
      deadlineMs,
      signal,
      clock: this.#clock,
    })
    const withdraw = (): void => void socket.destroy()
    signal.addEventListener('abort', withdraw, { once: true })
    try {
      socket.on('error', () => undefined)
      if (peer.node !== nodeId) throw new StreamError(`${address} is '${peer.node}', not '${nodeId}'`)
      socket.write(`${JSON.stringify(header)}\n`)
      const answer = answerSchema.parse(JSON.parse(await this.#line(socket)))
      if (answer.refused !== undefined) throw new StreamError(`'${nodeId}' refuses: ${answer.refused}`)
      const [near, far] = await this.#pairs.pair()
      this.#join(far, socket, count)
      return [near, far]
    } catch (thrown) {
      socket.destroy()
      throw signal.aborted ? signal.reason : streamError(header, thrown)
    } finally {
      signal.removeEventListener('abort', withdraw)
    }
  }

  async #accept(socket: Socket, peer: PeerIdentity): Promise<void> {
    socket.on('error', () => undefined)
    const said = await this.#line(socket)
    try {
      const header = headerSchema.parse(JSON.parse(said))
      if (!this.#options.mayConnect(header, peer))
        throw new StreamError(`${header.from} of ${header.jobId} does not run on '${peer.node}'`)
      const task = this.#taskOf(header)
      const count = this.#countOf(header.jobId, header.to)
      const [near, far] = await this.#pairs.pair()
      socket.write('{}\n')
      this.#join(far, socket, count)
      task.incoming(header.from, near)
    } catch (thrown) {
      socket.end(`${JSON.stringify({ refused: asError(thrown).message.slice(0, 1000) })}\n`)
    }
  }

  #line(socket: Socket): Promise<string> {
    return readLine(socket, { maxBytes: maxHeaderBytes, deadlineMs, clock: this.#clock })
  }

  #taskOf(header: StreamHeader): Pick<RunningTask, 'incoming'> {
    const task = this.#options.task(header)
    if (!task)
      throw new StreamError(`${header.to} of ${header.jobId} does not run here in attempt ${header.attempt}`)
    return task
  }

  #countOf(jobId: string, task: string): Count {
    const key = keyOf(jobId, task)
    const count = this.#counts.get(key) ?? new Count()
    this.#counts.set(key, count)
    if (count.open >= maxStreams)
      throw new StreamError(`${task} has ${maxStreams} streams to other nodes: close some`)
    return count
  }

  /** Pipes until both sides have ended, or one breaks. */
  #join(local: Socket, remote: Socket, count: Count): void {
    const finished = count.begin(local)
    remote.setKeepAlive(true, keepAliveMs).setNoDelay(true)
    for (const socket of [local, remote]) this.#open.add(socket)
    // What breaks one way ends the stream: `pipeline` destroys both.
    void Promise.allSettled([pipeline(local, remote), pipeline(remote, local)]).then(() => {
      for (const socket of [local, remote]) {
        socket.destroy()
        this.#open.delete(socket)
      }
      finished()
    })
  }
}

const keyOf = (jobId: string, task: string): string => `${jobId}/${task}`

/** What went wrong on the way to another node, where it is not said yet. */
function streamError(header: StreamHeader, thrown: unknown): Error {
  const { name, message } = asError(thrown)
  const isNonsense = name === 'ZodError' || name === 'SyntaxError'
  return isNonsense
    ? new StreamError(`no stream to ${header.to}: its node answers nonsense`, { cause: thrown })
    : asError(
        thrown instanceof StreamError ? new StreamError(`no stream to ${header.to}: ${message}`) : thrown,
      )
}

/** Bytes of the streams of a task. */
class Count {
  readonly #live = new Set<Socket>()
  #sent = 0
  #received = 0

  get open(): number {
    return this.#live.size
  }

  /** Counts a socket whose other end the task has. The answer is to be called when it is over. */
  begin(socket: Socket): () => void {
    this.#live.add(socket)
    return () => {
      if (!this.#live.delete(socket)) return
      this.#sent += socket.bytesRead
      this.#received += socket.bytesWritten
    }
  }

  total(): ReturnType<RunningTask['traffic']> {
    let [sent, received] = [this.#sent, this.#received]
    for (const { bytesRead, bytesWritten } of this.#live) {
      sent += bytesRead
      received += bytesWritten
    }
    return { sent, received }
  }
}
