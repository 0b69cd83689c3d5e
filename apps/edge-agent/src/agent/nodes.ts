// The nodes of the cluster as jobs see them: this one and its neighbours, all asked in the same way.
import { NotFoundError } from '@shoal/core'
import {
  callMethod,
  type Connection,
  ConnectionLostError,
  type Handler,
  namePeer,
  type PeerIdentity,
  RemoteError,
} from '@shoal/distributed/peers'
import type { Role } from '../api/node.ts'
import type { Nodes, PresentNode } from '../jobs/ports.ts'
import type { Neighbours } from './neighbours.ts'

/** What of this node the others are told, in the same words. */
export interface OwnNode {
  readonly self: { readonly nodeId: string; readonly role: Role; readonly clusterId: string }
  readonly neighbours: () => Neighbours
  /** This node as it is now. */
  readonly view: () => PresentNode
  /** What it serves. */
  readonly methods: () => Readonly<Record<string, Handler>>
}

/** All nodes that are there. */
export function clusterNodes({ self, neighbours, view, methods }: OwnNode): Nodes {
  const peer: PeerIdentity = { cluster: self.clusterId, node: self.nodeId, role: self.role }
  // A connection of which nothing but calls is used: to this very node, without a wire.
  const own = {
    peer,
    call: async (name, message, { signal, urgent = false }) => {
      const handler = methods()[name]
      if (!handler) throw new NotFoundError(`${namePeer(peer)} serves no '${name}'`)
      try {
        return await handler(message, { peer, signal: signal ?? never, urgent })
      } catch (error) {
        signal?.throwIfAborted()
        const { name: of, message: text } = error as Error
        throw new RemoteError(`'${name}' at ${namePeer(peer)}`, of, text)
      }
    },
  } satisfies Partial<Connection>
  return {
    self,
    present: () => [
      view(),
      ...neighbours().present.map(({ nodeId, role, news: { inventory, taken, jobs } }) => ({
        nodeId,
        role,
        inventory,
        taken,
        // Who is trusted to compute is not trusted to say who leads.
        jobs: role === 'manager' ? jobs : [],
      })),
    ],
    call: async (nodeId, method, request, options) => {
      const connection = nodeId === self.nodeId ? own : neighbours().get(nodeId)?.connection
      if (!connection)
        throw new ConnectionLostError(`'${nodeId}' is not connected: '${method.name}' cannot be called`)
      return callMethod(connection as Connection, method, request, options)
    },
    connections: () => neighbours().present.map(({ connection }) => connection),
    changed: () => neighbours().changed(),
  }
}

const never = new AbortController().signal
