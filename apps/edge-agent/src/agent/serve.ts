// The methods about this node and its cluster.
import { NotFoundError } from '@shoal/core'
import { type Handler, serving } from '@shoal/distributed/peers'
import * as api from '../api/node.ts'
import type { Identity } from '../identity/identity.ts'
import { validityOf } from '../identity/membership.ts'
import type { Machine } from '../machine/machine.ts'
import type { Door } from './door.ts'
import type { Neighbours } from './neighbours.ts'
import { version } from './version.ts'

/** What the methods are served from. */
export interface NodeMeans {
  readonly identity: Identity
  readonly door: Door
  readonly machine: Machine
  readonly neighbours: () => Neighbours
  /** This agent is to end; with another identity where the node is another one from now on. */
  readonly ended: (next: Identity | undefined) => void
}

const nothing = { says: {}, tensors: [] } as const
/** An answer is on its way before the agent that gave it ends. */
const answerMs = 50

/** All methods about the node. */
export function nodeMethods(means: NodeMeans): Readonly<Record<string, Handler>> {
  const { identity, door, machine, neighbours } = means
  const { nodeId, clusterId, role } = identity
  const endSoon = (next: Identity | undefined): void => void setTimeout(() => means.ended(next), answerMs)
  return Object.fromEntries([
    serving(api.status, () => ({
      says: {
        nodeId,
        clusterId,
        role,
        version,
        address: neighbours().address,
        pid: process.pid,
        uptimeMs: process.uptime() * 1000,
        residentBytes: process.memoryUsage.rss(),
        discoveryFaults: [...neighbours().discoveryFaults],
        certificateEndsAt: validityOf(identity.newest).to,
        traffic: neighbours().traffic,
      },
      tensors: [],
    })),
    serving(api.nodes, () => ({
      says: { nodes: [...neighbours().views({ version, inventory: machine.inventory() })] },
      tensors: [],
    })),
    serving(api.invite, async ({ says: { role: as, minutes } }) => ({
      says: await door.invite(as, minutes),
      tensors: [],
    })),
    serving(api.join, async ({ says: { code, ...how } }, { signal }) => {
      const next = await door.join(code, { ...how, signal })
      endSoon(next)
      return { says: { clusterId: next.clusterId, nodeId: next.nodeId, role: next.role }, tensors: [] }
    }),
    serving(api.leave, async () => {
      endSoon(await identity.leave())
      return nothing
    }),
    serving(api.remove, async ({ says: { nodeId: removed } }) => {
      const known = neighbours().views({ version, inventory: machine.inventory() })
      if (!known.some((node) => node.nodeId === removed && node.clusterId === clusterId))
        throw new NotFoundError(`no node '${removed}' of this cluster is known: shoal nodes lists them`)
      await identity.remove(removed)
      return nothing
    }),
    serving(api.stop, () => {
      endSoon(undefined)
      return nothing
    }),
  ])
}
