// Sockets in a thread of their own: a long kernel on the main thread delays no sign of life, and no tensor that is on its way.
import { Worker } from 'node:worker_threads'
import { CancelledError, RemoteError } from '../errors.ts'
import { onRenewal, presentOf } from '../security/renewable.ts'
import { revived } from '../protocol/revived.ts'
import type { Connection, ConnectOptions, Listener, ListenOptions, Transport } from './contract.ts'
import { connectPort } from './messagePort.ts'
import type { Joined, Report, Request, SaidError } from './networkThread.ts'
import { checkSecurity, type Security } from './security.ts'
import type { SocketOptions } from './socket.ts'

/** How to use sockets of another thread. */
export type ThreadedOptions = Security & Pick<SocketOptions, 'frames' | 'log'>

interface Question {
  readonly resolve: (report: Extract<Report, { kind: 'done' }>) => void
  readonly reject: (error: unknown) => void
}

const errorOf = ({ name, message }: SaidError): Error =>
  revived(new RemoteError('the network thread', name, message)) as Error

/** As `SocketTransport`, in a thread that runs until it is disposed of; connections end with it. */
export class ThreadedTransport implements Transport, AsyncDisposable {
  readonly #thread: Worker
  readonly #log: (line: string) => void
  readonly #questions = new Map<number, Question>()
  readonly #listening = new Map<number, ListenOptions>()
  #ended: Error | undefined
  #lastId = 0
  #stopRenewal = (): void => {}

  /** @throws SecurityError for credentials that are not valid, or neither credentials nor `insecure`. */
  constructor(options: ThreadedOptions) {
    // The thread would say so too late for the caller, and again for the log.
    checkSecurity(options, () => undefined)
    const { log = console.warn, ...rest } = options
    // What may be renewed cannot be sent to a thread: it gets the present credentials, and those that follow one by one.
    const workerData =
      'credentials' in options ? { ...rest, credentials: presentOf(options.credentials) } : rest
    this.#log = log
    const code = import.meta.url.endsWith('.ts') ? './networkThread.ts' : './networkThread.js'
    this.#thread = new Worker(new URL(code, import.meta.url), { workerData })
    this.#thread.on('message', (report: Report) => this.#hear(report))
    this.#thread.on('error', (error) => this.#end(error))
    this.#thread.on('exit', () => this.#end(new CancelledError('the network thread has ended')))
    if ('credentials' in options)
      this.#stopRenewal = onRenewal(options.credentials, (credentials) =>
        this.#thread.postMessage({ kind: 'renew', id: ++this.#lastId, credentials } satisfies Request),
      )
    // Listeners and connections keep the process, not the thread.
    this.#thread.unref()
  }

  async listen(address: string, options: ListenOptions): Promise<Listener> {
    const id = ++this.#lastId
    this.#listening.set(id, options)
    try {
      const { address: bound } = await this.#ask({ kind: 'listen', id, address })
      this.#thread.ref()
      return { address: bound!, close: () => this.#stop(id) }
    } catch (error) {
      this.#listening.delete(id)
      throw error
    }
  }

  async connect(address: string, { deadlineMs, signal }: ConnectOptions): Promise<Connection> {
    const id = ++this.#lastId
    if (signal?.aborted)
      throw new CancelledError(`connecting to '${address}' was withdrawn`, { cause: signal.reason })
    const withdraw = (): void => this.#thread.postMessage({ kind: 'withdraw', id } satisfies Request)
    signal?.addEventListener('abort', withdraw, { once: true })
    try {
      const { joined } = await this.#ask({ kind: 'connect', id, address, deadlineMs })
      return attach(joined!)
    } finally {
      signal?.removeEventListener('abort', withdraw)
    }
  }

  /** Ends the thread, with all its listeners and connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate()
  }

  async #stop(id: number): Promise<void> {
    if (!this.#listening.delete(id) || this.#ended) return
    await this.#ask({ kind: 'close', id })
    if (this.#listening.size === 0) this.#thread.unref()
  }

  #ask(request: Request): Promise<Extract<Report, { kind: 'done' }>> {
    return new Promise((resolve, reject) => {
      if (this.#ended) throw this.#ended
      this.#questions.set(request.id, { resolve, reject })
      // Whoever awaits an answer must not see the process end before it comes.
      this.#thread.ref()
      this.#thread.postMessage(request)
    })
  }

  #hear(report: Report): void {
    switch (report.kind) {
      case 'done':
        return this.#settle(report.id)?.resolve(report)
      case 'failed':
        return this.#settle(report.id)?.reject(errorOf(report.error))
      case 'connected':
        return this.#listening.get(report.id)?.connected(attach(report.joined))
      case 'refused':
        return this.#listening.get(report.id)?.refused?.(errorOf(report.error))
      case 'log':
        return this.#log(report.line)
      default:
        return report satisfies never
    }
  }

  #settle(id: number): Question | undefined {
    const question = this.#questions.get(id)
    this.#questions.delete(id)
    if (this.#questions.size === 0 && this.#listening.size === 0) this.#thread.unref()
    return question
  }

  #end(error: Error): void {
    this.#ended ??= error
    this.#stopRenewal()
    for (const { reject } of this.#questions.values()) reject(this.#ended)
    this.#questions.clear()
    this.#listening.clear()
  }
}

const attach = ({ port, peer }: Joined): Connection => connectPort(port, peer)
