// Real agents in this process, for tests: each with a state folder of its own, on loopback, found by address.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type CallOptions,
  callMethod,
  type Connection,
  type Method,
  SocketTransport,
} from '@shoal/distributed/peers'
import type { NDArray } from '@shoal/core'
import * as api from '../../api/node.ts'
import { Identity } from '../../identity/identity.ts'
import { StateFolder } from '../../identity/stateFolder.ts'
import { runAgent, type RunOptions } from '../run.ts'

const deadlineMs = 30_000

/** An agent that runs. */
export class TestAgent implements AsyncDisposable {
  readonly folder: string
  readonly lines: string[] = []
  #over = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #at: { readonly nodeId: string; readonly clusterId: string; readonly address: string } | undefined
  #heard: () => void = () => {}

  constructor(folder: string) {
    this.folder = folder
  }

  /** Starts it, and waits until it listens. */
  async start(options: Partial<RunOptions> = {}): Promise<this> {
    const listening = new Promise<void>((resolve) => (this.#heard = resolve))
    this.#running = runAgent({
      folder: this.folder,
      host: '127.0.0.1',
      mdns: false,
      signal: this.#over.signal,
      log: (line) => this.lines.push(line),
      listening: (at) => {
        this.#at = at
        this.#heard()
      },
      ...options,
    })
    await Promise.race([listening, this.#running])
    return this
  }

  get nodeId(): string {
    return this.#at!.nodeId
  }
  get clusterId(): string {
    return this.#at!.clusterId
  }
  get address(): string {
    return this.#at!.address
  }

  /** Calls a method as the command does: with the certificate of the folder. */
  async ask<Q, A>(
    method: Method<Q, A>,
    request: Q,
    how: Partial<CallOptions> & { readonly tensors?: readonly NDArray[] } = {},
  ): Promise<A> {
    const connection = await this.connect()
    try {
      return (await callMethod(connection, method, request, { deadlineMs, ...how })).says
    } finally {
      await connection.close()
    }
  }

  /** A connection as the command opens it. */
  async connect(): Promise<Connection> {
    const identity = await Identity.open(await StateFolder.open(this.folder))
    const transport = new SocketTransport({ credentials: identity.credentials, log: () => {} })
    return transport.connect(this.address, { deadlineMs })
  }

  /** Joins the cluster of another agent, and waits until it listens again. */
  async join(other: TestAgent, role: api.Role = 'manager'): Promise<void> {
    const { code } = await other.ask(api.invite, { role, minutes: 1 })
    const again = new Promise<void>((resolve) => (this.#heard = resolve))
    await this.ask(api.join, { code, address: other.address })
    await again
  }

  /** The nodes that it trusts. */
  async trusted(): Promise<readonly string[]> {
    const { nodes } = await this.ask(api.nodes, {})
    return nodes.flatMap(({ nodeId, state }) => (state === 'trusted' ? [nodeId] : [])).toSorted()
  }

  /** Ends it; it can be started again. */
  async stop(): Promise<void> {
    this.#over.abort()
    await this.#running
    this.#over = new AbortController()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }
}

/** Agents `n1` to `n…`, each a cluster of its own. */
export async function startAgents(
  root: string,
  count: number,
  options: Partial<RunOptions> = {},
): Promise<readonly TestAgent[]> {
  const names = Array.from({ length: count }, (_, i) => `n${i + 1}`)
  return Promise.all(names.map((name) => new TestAgent(join(root, name)).start({ name, ...options })))
}

/** Ends agents, and removes what they kept. */
export async function endAgents(root: string, agents: readonly TestAgent[]): Promise<void> {
  await Promise.all(agents.map((agent) => agent[Symbol.asyncDispose]()))
  await rm(root, { recursive: true, force: true })
}
