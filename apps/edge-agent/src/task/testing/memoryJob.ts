// A job without agents, for tests: its documents and blobs are in memory, its tasks are in this process, and any of them can be killed.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { NotFoundError } from '@shoal/core'
import { hashOf } from '../../blobs/hash.ts'
import type { Json } from '../../jobs/json.ts'
import type { Assignment, TaskEnd, TaskServices, Versioned } from '../services.ts'
import { taskName } from '../taskContext.ts'
import type { TaskPort } from '../taskPort.ts'

/** What services were told of, in order. */
export type Told =
  | ({ readonly kind: 'metrics'; readonly task: string } & Parameters<TaskServices['report']>[0])
  | ({ readonly kind: 'trialEnded' } & Parameters<TaskServices['trialEnded']>[0])
  | { readonly kind: 'log'; readonly task: string; readonly line: string }

/** A task's port, and what a test does to it. */
export interface MemoryTask extends TaskPort {
  /** Asks it to stop. */
  stop(): void
  /** Ends it as the death of its node does: nothing that it asks for is answered any more, and nobody is told. */
  kill(): void
}

/** Documents, blobs and streams of one job. */
export class MemoryJob {
  readonly blobs = new Map<string, Uint8Array>()
  readonly told: Told[] = []
  readonly documents = new Map<string, Versioned>()
  readonly #jobs: ReadonlyMap<string, MemoryJob>
  readonly #settings: Partial<Assignment>
  readonly #running = new Map<string, Inside>()
  /** Called before each write; what it throws is what the writer sees, before or after the write was kept. */
  onWrite: ((write: { readonly key: string; readonly task: string }) => 'lose the answer' | void) | undefined

  /** @param settings of every assignment. @param jobs that it may read, by their ids. */
  constructor(settings: Partial<Assignment> = {}, jobs: Readonly<Record<string, MemoryJob>> = {}) {
    this.#settings = settings
    this.#jobs = new Map(Object.entries(jobs))
    for (const job of this.#jobs.values()) for (const [hash, bytes] of job.blobs) this.blobs.set(hash, bytes)
  }

  /** What stands in a document; undefined where there is none. */
  value(key: string): Json | undefined {
    return this.documents.get(key)?.value
  }

  /** Begins a task. */
  task(index: number, { attempt = 0, job = 'worker' }: { attempt?: number; job?: string } = {}): MemoryTask {
    const assignment: Assignment = {
      jobId: 'j-000000000000',
      kind: 'train',
      attempt,
      task: { job, index },
      cluster: { worker: 1 },
      settings: {},
      datasets: {},
      reads: [...this.#jobs.keys()],
      devices: [],
      node: `node-${index}`,
      ...this.#settings,
    }
    const inside = new Inside(this, assignment)
    this.#running.set(taskName(assignment.task), inside)
    this.tellLiving()
    return inside
  }

  /** Tells all tasks who is alive. */
  tellLiving(): void {
    const living = this.living()
    for (const one of this.#running.values()) one.hear(living)
  }

  /** The names of the tasks that are alive. */
  living(): readonly string[] {
    return [...this.#running].flatMap(([name, { isDead }]) => (isDead ? [] : [name]))
  }

  /** Reads a document. */
  read(key: string, jobId: string | undefined): Versioned {
    const job = jobId === undefined ? this : this.#jobs.get(jobId)
    if (!job) throw new NotFoundError(`job ${jobId} may not be read`)
    return structuredClone(job.documents.get(key) ?? { version: 0, value: null })
  }

  /** Opens a stream. */
  async connect(from: string, to: string): Promise<readonly [near: Socket, deliver: () => void]> {
    const inside = this.#running.get(to)
    if (!inside || inside.isDead) throw new Error(`${to} is not there`)
    const [near, far] = await socketPair()
    return [near, () => inside.take(from, far)]
  }
}

class Inside implements MemoryTask {
  readonly assignment: Assignment
  readonly services: TaskServices
  readonly stopped: AbortSignal
  isDead = false
  readonly #name: string
  readonly #job: MemoryJob
  readonly #control = new AbortController()
  readonly #sockets = new Set<Socket>()
  readonly #early: (readonly [string, Socket])[] = []
  #incoming: ((from: string, socket: Socket) => void) | undefined
  readonly #hearers: ((tasks: readonly string[]) => void)[] = []

  constructor(job: MemoryJob, assignment: Assignment) {
    this.assignment = assignment
    this.stopped = this.#control.signal
    this.#job = job
    this.#name = taskName(assignment.task)
    const task = this.#name
    const unlessDead = (tell: () => void): void => {
      if (!this.isDead) tell()
    }
    this.services = {
      readDocument: (key, { jobId, signal }) => this.#served(signal, () => job.read(key, jobId)),
      writeDocument: ({ key, ifVersion, value }, { signal }) =>
        this.#served(signal, () => {
          const { version } = job.read(key, undefined)
          if (version !== ifVersion) return undefined
          const after = job.onWrite?.({ key, task })
          // As the leader would have it: nothing but JSON.
          job.documents.set(key, { version: version + 1, value: JSON.parse(JSON.stringify(value)) as Json })
          // Whoever asks again is told that somebody wrote meanwhile: it was he.
          return after === 'lose the answer' ? undefined : version + 1
        }),
      putBlob: (bytes, { signal }) =>
        this.#served(signal, () => {
          const hash = hashOf(bytes)
          job.blobs.set(hash, bytes.slice())
          return hash
        }),
      getBlob: (hash, { signal }) =>
        this.#served(signal, () => {
          const bytes = job.blobs.get(hash)
          if (!bytes) throw new NotFoundError(`there is no blob ${hash}`)
          return bytes.slice()
        }),
      report: (metrics) => unlessDead(() => job.told.push({ kind: 'metrics', task, ...metrics })),
      // Of each trial the first word counts.
      trialEnded: (ended) =>
        unlessDead(() => {
          const isKnown = job.told.some((event) => event.kind === 'trialEnded' && event.trial === ended.trial)
          if (!isKnown) job.told.push({ kind: 'trialEnded', ...ended })
        }),
      log: (_, line) => unlessDead(() => job.told.push({ kind: 'log', task, line })),
      connect: async (to, { signal }) => {
        const [socket, deliver] = await job.connect(task, to)
        return this.#served(signal, () => {
          this.#own(socket)
          deliver()
          return socket
        })
      },
    }
  }

  onIncoming(listener: (fromTask: string, socket: Socket) => void): void {
    this.#incoming ??= listener
    for (const [from, socket] of this.#early.splice(0)) listener(from, socket)
  }

  onLiving(listener: (tasks: readonly string[]) => void): void {
    this.#hearers.push(listener)
    listener(this.#job.living())
  }

  async ended(_end: TaskEnd): Promise<void> {}

  stop(): void {
    this.#control.abort(new Error('the task was asked to stop'))
  }

  kill(): void {
    this.isDead = true
    for (const socket of this.#sockets) socket.destroy()
  }

  hear(living: readonly string[]): void {
    for (const hear of this.#hearers) hear(living)
  }

  take(from: string, socket: Socket): void {
    this.#own(socket)
    if (this.#incoming) this.#incoming(from, socket)
    else this.#early.push([from, socket])
  }

  #own(socket: Socket): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
  }

  /** An answer, one turn later; whoever is dead gets none. */
  async #served<T>(signal: AbortSignal, serve: () => T): Promise<T> {
    await Promise.resolve()
    if (this.isDead) return new Promise(() => {})
    signal.throwIfAborted()
    return serve()
  }
}

/** Two ends of a stream of bytes, both of which stand still. */
export async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
  const accepted = once(server, 'connection')
  await once(near, 'connect')
  const [far] = (await accepted) as [Socket]
  server.close()
  return [near, far]
}
