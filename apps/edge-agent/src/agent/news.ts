// What nodes of a cluster tell each other without being asked: when they connect, and when something has changed.
import { method, nothing } from '@shoal/distributed/peers'
import { z } from 'zod'
import { roleSchema } from '../api/node.ts'
import { removalsSchema } from '../identity/removals.ts'
import { jobHeadSchema } from '../jobs/head.ts'
import { needSchema } from '../jobs/spec.ts'
import { inventorySchema } from '../machine/inventory.ts'

/** The version of what agents say to each other: nodes that speak another one are not worked with. */
export const protocolVersion = 1

/** What a node tells of itself and of what it knows. */
export const newsSchema = z.object({
  protocol: z.int(),
  /** Of the program. */
  version: z.string().max(40),
  /** Where it listens. */
  addresses: z.array(z.string().max(100)).max(16),
  inventory: inventorySchema,
  /** What its running tasks need: that much of it is taken. */
  taken: z.array(needSchema.extend({ job: z.string(), task: z.string() })).max(1024),
  /** Other nodes that it is connected with. */
  members: z
    .array(z.object({ nodeId: z.string(), role: roleSchema, addresses: z.array(z.string()).max(16) }))
    .max(256),
  /** Who was put out of the cluster, and when. */
  removed: removalsSchema,
  /** The jobs that it leads or keeps a copy of. */
  jobs: z.array(jobHeadSchema).max(4096),
})
/** What a node tells of itself and of what it knows. */
export type News = z.infer<typeof newsSchema>

/** Tells a peer the news. Only the protocol is read of one who speaks another version. */
export const tell = method('agent.tell', z.looseObject({ protocol: z.int() }), nothing)
