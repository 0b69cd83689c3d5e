// What nodes ask each other to find out why something does not work: whether one gets in at the other's port, and what time it is there.
import { method, nothing } from '@shoal/distributed/peers'
import { z } from 'zod'

const triedSchema = z.object({
  /** `host:port`. */
  address: z.string().max(100),
  /** Why it did not lead to the node; empty where it did. */
  problem: z.string().max(1000),
})

/** How one neighbour gets to this node, and what its clock says. */
const neighbourReportSchema = z.object({
  nodeId: z.string(),
  /** Why it did not answer; empty where it did. */
  problem: z.string(),
  /** By how many milliseconds its clock is ahead of this one's; 0 where it did not answer. */
  aheadMs: z.number(),
  /** The addresses of this node that it tried. */
  tried: z.array(triedSchema),
})
/** How one neighbour gets to this node, and what its clock says. */
export type NeighbourReport = z.infer<typeof neighbourReportSchema>

/** Has a neighbour connect to the asker, at the addresses that the asker told it in its news: so it can be sent nowhere else. */
export const reach = method(
  'doctor.reach',
  nothing,
  z.object({
    /** The neighbour's time when it was asked, in milliseconds since 1970. */
    now: z.number(),
    tried: z.array(triedSchema).max(32),
  }),
)
/** Has all neighbours asked that. For the command of this machine alone. */
export const survey = method(
  'doctor.survey',
  nothing,
  z.object({ neighbours: z.array(neighbourReportSchema) }),
)
