// Who of the cluster lives, as one server knows: it attends all other tasks, on a plane apart from the one that carries tensors.
import { formatDeviceName } from '@shoal/core'
import { Backoff, pause } from '../backoff.ts'
import type { Clock } from '../clock.ts'
import type { TaskName } from '../cluster/deviceFilters.ts'
import type { ServerDef } from '../cluster/serverDef.ts'
import type { PeerEvent } from '../control/failureDetector.ts'
import { asError, SecurityError } from '../errors.ts'
import { callMethod, serving } from '../protocol/method.ts'
import { getWatch } from '../protocol/server.ts'
import type { DeviceStatus } from '../protocol/worker.ts'
import { isSame, type Liveness } from '../supervise/liveness.ts'
import { formatAddress, parseAddress } from '../transport/address.ts'
import type { Connection, Handler } from '../transport/contract.ts'

/** A peer, as signs of life reach it. */
export interface WatchedPeer {
  /** `host:port`. */
  readonly address: string
  /** The id of its node, where certificates say it. */
  readonly node?: string
}

/** What takes and gives signs of life. */
export interface Attention {
  /** Where it takes them: `host:port`. */
  readonly address: string
  /** Attends these peers, by the names of their tasks, and no others. */
  follow(peers: Readonly<Record<string, WatchedPeer>>): void
  /** Says farewell. */
  close(): Promise<void>
}

/** Starts to take signs of life of a task. */
export type StartAttention = (about: {
  /** `/job:worker/task:1`. */
  readonly task: string
  /** Where to take them: `host:0`. */
  readonly address: string
  readonly devices: readonly DeviceStatus[]
  /** Has to be told of every change. */
  readonly changed: (event: PeerEvent) => void
  readonly log: (line: string) => void
}) => Promise<Attention>

/** What a watch needs. */
export interface WatchOptions {
  readonly def: ServerDef
  /** Where to take signs of life. Default: the host by which the cluster names this task. */
  readonly host: string | undefined
  readonly start: StartAttention
  readonly devices: readonly DeviceStatus[]
  readonly connect: (task: TaskName, deadlineMs: number, signal: AbortSignal) => Promise<Connection>
  readonly clock: Clock
  readonly log: (line: string) => void
}

/** Serves the question where a server takes signs of life; without a watch it takes none. */
export const servingWatch = (watch: Watch | undefined): readonly [string, Handler] =>
  serving(getWatch, async () => ({ says: { port: (await watch?.port) ?? 0 }, tensors: [] }))

/** Milliseconds that one attempt to find a peer may take, and one question. */
const findMs = 60_000
const askMs = 10_000

/** Attends the other tasks of a cluster. Where each of them takes signs of life it says itself, and says again after it was started anew. */
export class Watch implements Liveness {
  private readonly options: WatchOptions
  private readonly ended = new AbortController()
  private readonly found = new Map<string, WatchedPeer>()
  private readonly dead = new Set<string>()
  private readonly listeners = new Set<() => void>()
  private readonly listening = Promise.withResolvers<number>()
  private attention: Attention | undefined
  private searches: readonly Promise<void>[] = []

  constructor(options: WatchOptions) {
    this.options = options
  }

  /** Begins, with a server that can be reached. @throws ConnectError where signs of life cannot be taken. */
  async begin(): Promise<void> {
    const { def, start, devices, log } = this.options
    if (def.address === undefined) return this.listening.resolve(0)
    const { host = parseAddress(def.address).host } = this.options
    this.attention = await start({
      task: def.name,
      address: formatAddress({ host, port: 0 }),
      devices,
      changed: (event) => this.changed(event),
      log,
    })
    this.listening.resolve(parseAddress(this.attention.address).port)
    const { job, task } = def
    this.searches = def.cluster
      .entries()
      .filter((other) => !isSame(other, { job, task }))
      .map((other) => this.search(other))
  }

  /** At which port it takes signs of life, once it does; 0 where it takes none. */
  get port(): Promise<number> {
    return this.listening.promise
  }

  /** @see Liveness */
  isAlive(task: TaskName): boolean {
    return !this.dead.has(formatDeviceName(task))
  }

  /** @see Liveness */
  onChange(changed: () => void): () => void {
    this.listeners.add(changed)
    return () => void this.listeners.delete(changed)
  }

  /** Attends nobody any more. */
  async close(): Promise<void> {
    this.ended.abort(new Error('the server was closed'))
    // Who asked before it began shall not wait.
    this.listening.resolve(0)
    await Promise.all(this.searches)
    await this.attention?.close()
  }

  /** Asks a task where it takes signs of life, whenever there is a new connection to it. */
  private async search(task: TaskName): Promise<void> {
    const { connect, clock, log, def } = this.options
    const { signal } = this.ended
    const backoff = new Backoff({ random: Math.random, mostMs: 5000 })
    const ended = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    let said = ''
    while (!signal.aborted)
      try {
        const connection = await connect(task, findMs, signal)
        await this.ask(task, connection)
        backoff.reset()
        await Promise.race([connection.closed, ended])
      } catch (error) {
        if (signal.aborted) return
        const { message } = asError(error)
        // Who is not there yet, or not any more, is no news for people; who may not speak with us is.
        if (error instanceof SecurityError && said !== message) log(`${def.name}: ${message}`)
        said = message
        await pause(backoff.next(), clock, signal).catch(() => {})
      }
  }

  private async ask(task: TaskName, connection: Connection): Promise<void> {
    const { cluster } = this.options.def
    const { says } = await callMethod(
      connection,
      getWatch,
      {},
      { deadlineMs: askMs, signal: this.ended.signal },
    )
    if (says.port === 0) return
    const { host } = parseAddress(cluster.addressOf(task.job, task.task))
    const address = formatAddress({ host, port: says.port })
    const { cluster: vouching, node } = connection.peer
    this.found.set(formatDeviceName(task), { address, ...(vouching && { node }) })
    this.attention?.follow(Object.fromEntries(this.found))
  }

  private changed({ task, state, reason }: PeerEvent): void {
    const { log, def } = this.options
    const wasDead = this.dead.delete(task)
    if (state === 'dead') this.dead.add(task)
    // That others are there, and late now and then, is as it should be.
    if (state === 'dead' || state === 'restarted' || wasDead)
      log(`${def.name}: ${task} ${inWords[state]}: ${reason}`)
    this.listeners.forEach((listener) => listener())
  }
}

const inWords = { joined: 'is back', suspect: 'is silent', dead: 'is gone', restarted: 'was started anew' }
