// An agent as the command of its machine has it: whoever may read its folder may ask it everything.
import type { NDArray } from '@shoal/core'
import {
  type CallOptions,
  callMethod,
  type Connection,
  type Method,
  SocketTransport,
} from '@shoal/distributed/peers'
import * as api from '../../api/node.ts'
import { Identity } from '../../identity/identity.ts'
import { StateFolder } from '../../identity/stateFolder.ts'

const deadlineMs = 30_000

/** Where an agent listens, as which node. */
export interface Listening {
  readonly nodeId: string
  readonly clusterId: string
  readonly address: string
}

/** An agent that is asked in tests. */
export abstract class AskedAgent {
  readonly folder: string
  /** What it has said. */
  readonly lines: string[] = []
  #at: Listening | undefined
  #heard: (at: Listening) => void = () => {}

  constructor(folder: string) {
    this.folder = folder
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

  /** It listens from now on. */
  protected listens(at: Listening): void {
    this.#at = at
    this.#heard(at)
  }

  /** Settles when it listens the next time. */
  protected nextListening(): Promise<Listening> {
    return new Promise((resolve) => (this.#heard = resolve))
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
  async join(other: AskedAgent, role: api.Role = 'manager'): Promise<void> {
    const { code } = await other.ask(api.invite, { role, minutes: 1 })
    const again = this.nextListening()
    await this.ask(api.join, { code, address: other.address })
    await again
  }

  /** The nodes that it trusts. */
  async trusted(): Promise<readonly string[]> {
    const { nodes } = await this.ask(api.nodes, {})
    return nodes.flatMap(({ nodeId, state }) => (state === 'trusted' ? [nodeId] : [])).toSorted()
  }
}
