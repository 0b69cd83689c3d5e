// An agent whose answers are written down: a real listener with real certificates, so that all of the way to it is tested.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  ClusterAuthority,
  type Connection,
  type Handler,
  type Listener,
  type Method,
  type NodeCredentials,
  serving,
  SocketTransport,
} from '@shoal/distributed/peers'
import { agentMethods, announceAgent, StateFolder } from '@shoal/edge-agent/client'
import type { NDArray } from '@shoal/core'

/** What it answers a method with. */
export const answering = <Q, A>(
  method: Method<Q, A>,
  answer: (request: Q, tensors: readonly NDArray[], signal: AbortSignal) => A | Promise<A>,
): readonly [string, Handler] =>
  serving(method, async ({ says, tensors }, { signal }) => ({
    says: await answer(says, tensors, signal),
    tensors: [],
  }))

/** An agent whose answers are written down. */
export class TestAgent implements AsyncDisposable {
  /** Its state folder, which commands are given. */
  readonly folder = mkdtempSync(join(tmpdir(), 'shoal-agent-'))
  readonly #credentials: NodeCredentials
  #methods: Readonly<Record<string, Handler>> = {}
  #listener: Listener | undefined
  #connections = new Set<Connection>()

  private constructor(credentials: NodeCredentials) {
    this.#credentials = credentials
  }

  /** Begins to answer. Its status is always there. */
  static async start(...methods: readonly (readonly [string, Handler])[]): Promise<TestAgent> {
    const authority = await ClusterAuthority.create()
    const credentials = await authority.issue({ node: 'pi-1', role: 'manager' })
    const agent = new TestAgent(credentials)
    const folder = await StateFolder.open(agent.folder)
    await folder.write('identity.json', { v: 1, credentials })
    await agent.listen(...methods)
    return agent
  }

  /** Begins to answer, again after `hangUp`. */
  async listen(...methods: readonly (readonly [string, Handler])[]): Promise<void> {
    this.#methods = Object.fromEntries([answering(agentMethods.status, () => status), ...methods])
    const transport = new SocketTransport({ credentials: this.#credentials })
    this.#listener = await transport.listen('127.0.0.1:0', {
      connected: (connection) => {
        this.#connections.add(connection)
        connection.serve(this.#methods)
      },
    })
    const { address } = this.#listener
    await announceAgent(await StateFolder.open(this.folder), { address, version: status.version })
  }

  /** Ends all connections and listens no more. */
  async hangUp(): Promise<void> {
    await this.#listener?.close()
    await Promise.all([...this.#connections].map((connection) => connection.close()))
    this.#connections.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hangUp()
    rmSync(this.folder, { recursive: true })
  }
}

const status = {
  nodeId: 'pi-1',
  clusterId: 'ab'.repeat(32),
  role: 'manager' as const,
  version: '0.1.0',
  address: '127.0.0.1:7070',
  pid: 1234,
  uptimeMs: 60_000,
  residentBytes: 2 ** 26,
  discoveryFaults: [],
  certificateEndsAt: 1_800_000_000_000,
  traffic: { sent: 0, received: 0 },
}
