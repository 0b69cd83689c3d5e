// Nodes in one process, for tests of jobs: each has its own folder and its own view of the others; what they say goes through JSON as on the wire.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ConnectionLostError,
  callMethod,
  type Connection,
  type Handler,
  RemoteError,
} from '@shoal/distributed/peers'
import { hashOf } from '../blobs/hash.ts'
import { EventLog } from '../history/eventLog.ts'
import type { Inventory } from '../machine/inventory.ts'
import type { Assignment, RunningTask, TaskEnd, TaskServices } from '../task/services.ts'
import { Jobs } from './jobs.ts'
import type { Blobs, Nodes, PresentNode } from './ports.ts'
import { jobMethods } from './serve.ts'
import { TaskHost } from './taskHost.ts'

const inventory: Inventory = {
  platform: 'linux',
  arch: 'arm64',
  nodeVersion: '26.10.0',
  cores: 2,
  memoryBytes: 2 ** 32,
  freeMemoryBytes: 2 ** 32,
  freeDiskBytes: 2 ** 36,
  devices: [{ type: 'cpu', model: 'test' }],
  load: 0,
  links: {},
}

/** A program of a task in this process: it answers how it ended. */
export type Program = (task: {
  readonly assignment: Assignment
  readonly services: TaskServices
  readonly signal: AbortSignal
}) => Promise<void>

/** One node of a village. */
export interface Villager {
  readonly nodeId: string
  readonly jobs: Jobs
  readonly host: TaskHost
  /** As with `kill -9`: it says nothing any more, and its tasks are gone. */
  kill(): Promise<void>
}

/** Nodes that can be started, killed, and started again. */
export class Village implements AsyncDisposable {
  readonly #root: Promise<string> = mkdtemp(join(tmpdir(), 'shoal-village-'))
  readonly #program: Program
  readonly #nodes = new Map<string, Home>()
  readonly #blobs = new Map<string, Uint8Array>()
  readonly #timers = new Map<NodeJS.Timeout, number>()

  constructor(program: Program) {
    this.#program = program
  }

  /** Starts a node, a new one or one that was killed. */
  async start(nodeId: string): Promise<Villager> {
    const home = new Home(nodeId, this, join(await this.#root, nodeId), this.#program)
    await home.open()
    this.#nodes.set(nodeId, home)
    for (const other of this.living) if (other !== home) other.came(nodeId)
    return home
  }

  /** Those that are there. */
  get living(): readonly Home[] {
    return [...this.#nodes.values()].filter(({ isDead }) => !isDead)
  }

  /** The node of this id, while it lives. */
  get(nodeId: string): Home | undefined {
    const home = this.#nodes.get(nodeId)
    return home?.isDead ? undefined : home
  }

  /** The milliseconds of each timer that runs. */
  get timers(): readonly number[] {
    return [...this.#timers.values()]
  }

  /** A hundredth of the time, so that tests do not wait for what takes seconds. */
  after(ms: number, action: () => void): () => void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      action()
    }, ms / 100)
    this.#timers.set(timer, ms)
    return () => {
      clearTimeout(timer)
      this.#timers.delete(timer)
    }
  }

  /** Where bytes are: everywhere. */
  get blobs(): Map<string, Uint8Array> {
    return this.#blobs
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const home of this.living) await home.kill()
    await rm(await this.#root, { recursive: true, force: true })
  }
}

/** One node. */
class Home implements Villager {
  readonly nodeId: string
  isDead = false
  jobs!: Jobs
  host!: TaskHost
  readonly #village: Village
  readonly #folder: string
  readonly #program: Program
  readonly #running = new Set<(end: TaskEnd) => void>()
  #methods: Readonly<Record<string, Handler>> = {}

  constructor(nodeId: string, village: Village, folder: string, program: Program) {
    this.nodeId = nodeId
    this.#village = village
    this.#folder = folder
    this.#program = program
  }

  async open(): Promise<void> {
    const village = this.#village
    const self = { nodeId: this.nodeId, role: 'manager' as const }
    const nodes: Nodes = {
      self,
      present: () => {
        if (this.isDead) return []
        return [this, ...village.living.filter((home) => home !== this)].map((home) => home.view())
      },
      call: (nodeId, method, request, options) =>
        callMethod(this.#connectionTo(nodeId), method, request, options),
      connections: () => [],
      changed: () => {
        for (const home of village.living) if (home !== this && !this.isDead) home.told(this.nodeId)
      },
    }
    const blobs: Blobs = {
      put: async (bytes) => {
        const hash = hashOf(bytes)
        village.blobs.set(hash, bytes)
        return hash
      },
      get: async (hash) => village.blobs.get(hash)!,
      fetch: async () => {},
      push: async () => {},
      release: async () => {},
      sizes: () => new Map(),
    }
    const clock = { now: () => performance.now(), after: village.after.bind(village) }
    const means = { nodes, blobs, clock, today: () => Date.now(), log: () => {} }
    this.jobs = await Jobs.open({
      ...means,
      folder: this.#folder,
      openLog: (path) => EventLog.open(path, { log: () => {} }),
    })
    this.host = new TaskHost({
      ...means,
      leaderOf: (id) => this.jobs.leaderOf(id),
      keepersOf: (id) => this.jobs.keepersOf(id),
      connect: () => Promise.reject(new Error('there are no streams in a village')),
      launch: async (assignment, { services }) => this.#launch(assignment, services),
    })
    this.#methods = jobMethods({ jobs: this.jobs, host: this.host, nodes })
    this.jobs.begin()
  }

  view(): PresentNode {
    return {
      nodeId: this.nodeId,
      role: 'manager',
      inventory,
      taken: this.host?.taken ?? [],
      jobs: this.jobs?.heads ?? [],
    }
  }

  came(nodeId: string): void {
    this.jobs.nodeCame(nodeId, true)
    this.host.nodesChanged()
  }

  told(nodeId: string): void {
    this.jobs.nodeCame(nodeId, false)
  }

  left(nodeId: string): void {
    this.jobs.nodeLeft(nodeId)
    this.host.nodesChanged()
  }

  async kill(): Promise<void> {
    this.isDead = true
    for (const end of this.#running) end({ kind: 'failed', message: 'killed' })
    for (const home of this.#village.living) home.left(this.nodeId)
    await this.jobs[Symbol.asyncDispose]()
  }

  /** Serves a call as the wire would. */
  async serve(from: Home, name: string, head: Uint8Array): Promise<Uint8Array> {
    if (this.isDead || from.isDead) throw new ConnectionLostError(`'${this.nodeId}' is dead`)
    const handler = this.#methods[name]!
    const peer = { cluster: 'village', node: from.nodeId, role: 'manager' }
    try {
      const { head: answer } = await handler(
        { head, tensors: [] },
        { peer, signal: new AbortController().signal, urgent: false },
      )
      if (this.isDead || from.isDead) throw new ConnectionLostError(`'${this.nodeId}' is dead`)
      return answer
    } catch (error) {
      if (error instanceof ConnectionLostError) throw error
      throw new RemoteError(`'${name}' at '${this.nodeId}'`, (error as Error).name, (error as Error).message)
    }
  }

  /** A call as a client of this node makes it. */
  connection(): Connection {
    return this.#connectionTo(this.nodeId)
  }

  #connectionTo(nodeId: string): Connection {
    const call = async (name: string, message: { readonly head: Uint8Array }) => {
      const home = this.#village.get(nodeId)
      if (!home) throw new ConnectionLostError(`'${nodeId}' is not there`)
      return { head: await home.serve(this, name, message.head), tensors: [] }
    }
    // Of a connection nothing but calls is used here.
    return { call } as unknown as Connection
  }

  #launch(assignment: Assignment, services: TaskServices): RunningTask {
    const { promise, resolve } = Promise.withResolvers<TaskEnd>()
    const over = new AbortController()
    const end = (how: TaskEnd): void => {
      this.#running.delete(end)
      over.abort(new Error('the task is over'))
      // Nobody hears of the tasks of a dead node.
      if (!this.isDead) resolve(how)
    }
    this.#running.add(end)
    this.#program({ assignment, services, signal: over.signal }).then(
      () => end({ kind: 'done' }),
      (error: unknown) => end({ kind: 'failed', message: String(error) }),
    )
    return {
      assignment,
      ended: promise,
      incoming: () => {},
      living: () => {},
      stop: () => end({ kind: 'stopped' }),
      traffic: () => ({ sent: 0, received: 0 }),
      [Symbol.asyncDispose]: async () => {},
    }
  }
}
