// What a node answers about itself and its cluster, and what it can be told to do: to the command on its own machine, and to other nodes.
import { method, nothing } from '@shoal/distributed/peers'
import { z } from 'zod'
import { inventorySchema } from '../machine/inventory.ts'

/** What a node is there for. Managers may do everything and hold the cluster's authority; workers compute; clients give work and compute nothing. */
export const roleSchema = z.enum(['manager', 'worker', 'client'])
/** What a node is there for. */
export type Role = z.infer<typeof roleSchema>

/** A node as another one knows it. */
export const nodeViewSchema = z.object({
  nodeId: z.string(),
  clusterId: z.string(),
  role: z.string(),
  /** 'self'; 'trusted': connected, and proved to be of this cluster; 'reachable': answers, but is not of this cluster; 'seen': announced only; 'lost': of this cluster, and not connected now. */
  state: z.enum(['self', 'trusted', 'reachable', 'seen', 'lost']),
  /** Where it is connected, or where it says that it is: `host:port`. */
  addresses: z.array(z.string()),
  /** Why it cannot be reached or trusted; empty where it is. */
  problem: z.string(),
  /** The version of the program that it runs; empty where it was not told. */
  version: z.string(),
  /** Undefined for whoever is not of this cluster. */
  inventory: inventorySchema.optional(),
  /** Milliseconds since it told its inventory. */
  ageMs: z.number().optional(),
})
/** A node as another one knows it. */
export type NodeView = z.infer<typeof nodeViewSchema>

/** Who is this, and how does it do? */
export const status = method(
  'agent.status',
  nothing,
  z.object({
    nodeId: z.string(),
    clusterId: z.string(),
    role: roleSchema,
    version: z.string(),
    address: z.string(),
    /** Of the process. */
    pid: z.int(),
    uptimeMs: z.number(),
    residentBytes: z.number(),
    /** What keeps discovery from working, in words. */
    discoveryFaults: z.array(z.string()),
    /** When the certificate ends, in milliseconds since 1970. */
    certificateEndsAt: z.number(),
    /** Bytes to other nodes and from them since it began to listen, all but streams between tasks. */
    traffic: z.object({ sent: z.number(), received: z.number() }),
  }),
)
/** All nodes that it knows, itself first. */
export const nodes = method('agent.nodes', nothing, z.object({ nodes: z.array(nodeViewSchema) }))
/** Makes a code by which one node may join. */
export const invite = method(
  'agent.invite',
  z.object({ role: roleSchema, minutes: z.number().positive().max(60).default(10) }),
  z.object({ code: z.string(), expiresAt: z.number() }),
)
/** Leaves the cluster that it is in, and joins that of the code. `address` where multicast does not find it: `host:port`. */
export const join = method(
  'agent.join',
  z.object({
    code: z.string().max(1000),
    address: z.string().optional(),
    /** What the node is called from then on; default: its id stays. */
    name: z.string().min(1).max(63).optional(),
  }),
  z.object({ clusterId: z.string(), nodeId: z.string(), role: roleSchema }),
)
/** Leaves the cluster, and is a cluster of its own again. */
export const leave = method('agent.leave', nothing, nothing)
/** Puts a node out of the cluster, at once and for good. */
export const remove = method('agent.remove', z.object({ nodeId: z.string() }), nothing)
/** Ends the agent. */
export const stop = method('agent.stop', nothing, nothing)
