// Bytes by node: what the agents told each other, and what went between their tasks.
import type { Node } from './node.ts'

/** Bytes that a node sent to others, and received from them. */
export interface Traffic {
  readonly sent: number
  readonly received: number
}

/** Bytes by the ids of nodes. */
export class TrafficByNode {
  readonly #byNode = new Map<string, Traffic>()

  /** Those of a node. */
  of(node: string): Traffic {
    return this.#byNode.get(node) ?? { sent: 0, received: 0 }
  }

  /** Counts more of them, or so many fewer. */
  add(node: string, { sent, received }: Traffic, sign: 1 | -1 = 1): void {
    const before = this.of(node)
    this.#byNode.set(node, { sent: before.sent + sign * sent, received: before.received + sign * received })
  }

  /** Counts what the agents have moved since they began to listen, or counts it off. */
  async addAgents(nodes: readonly Node[], signal: AbortSignal, sign: 1 | -1 = 1): Promise<void> {
    const asked = nodes.map((node) => node.ask((agent) => agent.status(), signal))
    for (const { nodeId, traffic } of await Promise.all(asked)) this.add(nodeId, traffic, sign)
  }
}
