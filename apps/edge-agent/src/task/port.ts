// The task's end of the pipe to its agent: calls one way and the other, and sockets that the agent hands over.
import { NDArray } from '@shoal/core'
import { callMethod, CancelledError, connectSocket, type Connection, serving } from '@shoal/distributed/peers'
import { Socket } from 'node:net'
import * as calls from './calls.ts'
import type { TaskServices } from './services.ts'
import type { TaskPort } from './taskPort.ts'
import { Telling } from './telling.ts'

/** Calls of a task have no deadline: they may take as long as its job has no leader. A lost agent ends them. */
const deadlineMs = Number.MAX_SAFE_INTEGER
/** Both ends are there from the start, but a busy machine may be slow to say so. */
const openMs = 60_000

/**
 * Opens the one port of this process. To be called once, by what an agent has started.
 * @throws ConnectError, DeadlineError where no agent answers.
 */
export async function openTaskPort(): Promise<TaskPort> {
  const streams = new Streams()
  const socket = new Socket({ fd: calls.pipeFd, readable: true, writable: true })
  const connection = await connectSocket(socket, calls.peerNamed('agent', 'agent'), {
    deadlineMs: openMs,
    frames: calls.pipeFrames,
  })
  const stopped = new AbortController()
  const living = new Latest<readonly string[]>()
  connection.serve(
    Object.fromEntries([
      serving(calls.livingCall, ({ says }) => {
        living.set(says.tasks)
        return { says: {}, tensors: [] }
      }),
      serving(calls.stopCall, ({ says }) => {
        stopped.abort(new CancelledError(says.reason))
        return { says: {}, tensors: [] }
      }),
    ]),
  )
  void connection.closed.then(() => stopped.abort(new CancelledError('the agent of this task is gone')))
  const { says } = await callMethod(connection, calls.assignmentCall, {}, { deadlineMs: openMs })
  const telling = new Telling(connection)
  return {
    assignment: says.assignment,
    services: servicesOver(connection, streams, telling),
    onIncoming: (listener) => streams.onIncoming(listener),
    onLiving: (listener) => living.onSet(listener),
    stopped: stopped.signal,
    async ended(end) {
      await telling.finish()
      await callMethod(connection, calls.endedCall, { end }, { deadlineMs })
    },
  }
}

/** What the agent does, asked for over the pipe. */
function servicesOver(connection: Connection, streams: Streams, telling: Telling): TaskServices {
  const how = ({ signal }: { readonly signal: AbortSignal }) => ({ deadlineMs, signal })
  return {
    async readDocument(key, { jobId, ...from }) {
      return (await callMethod(connection, calls.readDocumentCall, { key, jobId }, how(from))).says
    },
    async writeDocument(write, from) {
      return (await callMethod(connection, calls.writeDocumentCall, write, how(from))).says.version
    },
    async putBlob(bytes, from) {
      const tensors = [new NDArray('uint8', [bytes.length], bytes)]
      return (await callMethod(connection, calls.putBlobCall, {}, { ...how(from), tensors })).says.hash
    },
    async getBlob(hash, from) {
      const { tensors } = await callMethod(connection, calls.getBlobCall, { hash }, how(from))
      return tensors[0]!.bytes
    },
    report: (metrics) => telling.tell({ kind: 'metrics', ...metrics }),
    trialEnded: (ended) => telling.tell({ kind: 'trialEnded', ...ended }),
    log: (stream, line) => void process[stream].write(`${line}\n`),
    connect: (task, { signal }) =>
      streams.asked(signal, async (stream) => {
        await callMethod(connection, calls.connectCall, { task, stream }, how({ signal }))
      }),
  }
}

/** The last value that was set, told at once to who comes later. */
class Latest<T> {
  readonly #listeners: ((value: T) => void)[] = []
  #value: { readonly value: T } | undefined

  set(value: T): void {
    this.#value = { value }
    for (const listener of this.#listeners) listener(value)
  }

  onSet(listener: (value: T) => void): void {
    this.#listeners.push(listener)
    if (this.#value) listener(this.#value.value)
  }
}

/** Sockets as they are handed over: those that were asked for, and those that others have opened. */
class Streams {
  readonly #asked = new Map<number, (socket: Socket) => void>()
  readonly #listeners: ((fromTask: string, socket: Socket) => void)[] = []
  #early: (readonly [string, Socket])[] = []
  #last = 0

  constructor() {
    process.on('message', (message: calls.HandedOver, socket: Socket) => this.#take(message, socket))
  }

  onIncoming(listener: (fromTask: string, socket: Socket) => void): void {
    this.#listeners.push(listener)
    const early = this.#early
    this.#early = []
    for (const [from, socket] of early) listener(from, socket)
  }

  /** Asks for a stream under a number, and waits for the socket. @throws what `ask` throws, the reason of the signal. */
  async asked(signal: AbortSignal, ask: (stream: number) => Promise<void>): Promise<Socket> {
    signal.throwIfAborted()
    const stream = this.#last++
    const arrived = Promise.withResolvers<Socket>()
    // Whoever asked may have been told of a failure before.
    arrived.promise.catch(() => undefined)
    const withdraw = (): void => arrived.reject(signal.reason)
    signal.addEventListener('abort', withdraw, { once: true })
    this.#asked.set(stream, arrived.resolve)
    try {
      await ask(stream)
      return await arrived.promise
    } finally {
      signal.removeEventListener('abort', withdraw)
      this.#asked.delete(stream)
    }
  }

  #take(message: calls.HandedOver, socket: Socket): void {
    if ('from' in message) {
      if (this.#listeners.length === 0) this.#early.push([message.from, socket])
      for (const listener of this.#listeners) listener(message.from, socket)
      return
    }
    const take = this.#asked.get(message.stream)
    if (take) take(socket)
    else socket.destroy()
  }
}
