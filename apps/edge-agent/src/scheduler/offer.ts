// An offer is what a node can still take: all that it has, less what the tasks that have their place there may yet use.
import type { Role } from '../api/node.ts'
import type { Need } from '../jobs/spec.ts'
import { effectiveSpeed } from '../machine/effectiveSpeed.ts'
import type { Inventory, LinkQuality } from '../machine/inventory.ts'

/** What is taken by tasks, or there to be taken. */
export interface Room {
  readonly cores: number
  readonly memoryBytes: number
  /** Adapters of WebGPU: each is one task's at a time. */
  readonly adapters: number
}

/** A node that is connected now, as the scheduler has to know it. */
export interface SchedulableNode {
  readonly nodeId: string
  readonly role: Role
  readonly inventory: Inventory
  /** The blobs that it has: programs and shards. */
  readonly hashes: ReadonlySet<string>
}

/** The place of a task that runs, or was told to begin. */
export interface Holding {
  readonly node: string
  readonly need: Need
  /** What its process takes now. Where it is not known, it is thought to take nothing yet and to take all that it may. */
  readonly usedBytes?: number
}

/** What a node can still take. */
export interface Offer {
  readonly nodeId: string
  /** What is free now. */
  readonly room: Room
  /** What would be free if all tasks had ended. */
  readonly idle: Room
  /** 1e9 floating-point operations per second that a task gets of one core now: less where it is hot, or where other programs are busy. */
  readonly gflops: number
  /** Is it slowed because of its heat? */
  readonly throttled: boolean
  /** The measured ways to other nodes, by node id. */
  readonly links: Readonly<Record<string, LinkQuality>>
  readonly hashes: ReadonlySet<string>
}

/** No node is so slow that it counts for nothing: seconds are computed by dividing by its speed. */
const leastGflops = 0.01

/** What a task with this need takes. Every node has a 'cpu', whose cores are counted. */
export const roomOf = (need: Need): Room => ({
  cores: need.cores,
  memoryBytes: need.memoryBytes,
  adapters: need.devices.includes('webgpu') ? 1 : 0,
})

/** Does `what` fit into `room`? */
export const fits = (room: Room, what: Room): boolean =>
  what.cores <= room.cores && what.memoryBytes <= room.memoryBytes && what.adapters <= room.adapters

/** What is left of a room; never less than nothing. */
export const less = (room: Room, taken: Room): Room => ({
  cores: Math.max(0, room.cores - taken.cores),
  memoryBytes: Math.max(0, room.memoryBytes - taken.memoryBytes),
  adapters: Math.max(0, room.adapters - taken.adapters),
})

/** Two rooms together. */
export const plus = (a: Room, b: Room): Room => ({
  cores: a.cores + b.cores,
  memoryBytes: a.memoryBytes + b.memoryBytes,
  adapters: a.adapters + b.adapters,
})

/** What is free on each node, by its id. */
export const roomsOf = (offers: readonly Offer[]): Map<string, Room> =>
  new Map(offers.map(({ nodeId, room }) => [nodeId, room]))

/** No room at all. */
export const noRoom: Room = { cores: 0, memoryBytes: 0, adapters: 0 }

/**
 * What all nodes that compute can still take, in order of their ids. Clients compute nothing.
 * @param holdings of all jobs.
 */
export function offersOf(nodes: readonly SchedulableNode[], holdings: readonly Holding[]): readonly Offer[] {
  return nodes
    .filter(({ role }) => role !== 'client')
    .toSorted((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
    .map((node) =>
      offerOf(
        node,
        holdings.filter((holding) => holding.node === node.nodeId),
      ),
    )
}

function offerOf({ nodeId, inventory, hashes }: SchedulableNode, holdings: readonly Holding[]): Offer {
  const held = holdings.map(({ need }) => roomOf(need)).reduce(plus, noRoom)
  // Memory that is free now is free of what tasks take already, and not of what they may take yet.
  const pending = sum(holdings.map(({ need, usedBytes = 0 }) => Math.max(0, need.memoryBytes - usedBytes)))
  const returned = sum(holdings.map(({ need, usedBytes = need.memoryBytes }) => usedBytes))
  const idle: Room = {
    cores: inventory.cores,
    memoryBytes: Math.min(inventory.memoryBytes, inventory.freeMemoryBytes + returned),
    adapters: inventory.devices.filter(({ type }) => type === 'webgpu').length,
  }
  const free = { ...idle, memoryBytes: inventory.freeMemoryBytes }
  return {
    nodeId,
    room: less(free, { ...held, memoryBytes: pending }),
    idle,
    gflops: Math.max(leastGflops, effectiveSpeed(inventory, held.cores) / inventory.cores),
    throttled: inventory.heat?.throttled ?? false,
    links: inventory.links,
    hashes,
  }
}

const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0)
