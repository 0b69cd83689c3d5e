// A job in one line, as every node of the cluster knows it: who leads it, and whether it waits for room.
import { z } from 'zod'
import { jobIdSchema, jobSpecSchema, jobStateSchema } from './spec.ts'

/** A job in one line. */
export const jobHeadSchema = z.object({
  id: jobIdSchema,
  /** Rises with each change of the leader; what a leader of a lower term says does not count. */
  term: z.int().min(1),
  leader: z.string(),
  /** The nodes that hold copies of its state, in the order in which they take over. */
  keepers: z.array(z.string()).min(1).max(7),
  state: jobStateSchema,
  priority: z.int(),
  submittedAt: z.number(),
  /** What it asks for, without its data: of jobs that wait, and of elastic ones, which may grow. */
  asks: jobSpecSchema.optional(),
  /** Where the tasks are that it has. */
  there: z.array(z.object({ task: z.string(), node: z.string() })).default([]),
})
/** A job in one line. */
export type JobHead = z.infer<typeof jobHeadSchema>

/** Is the job over? */
export const isOver = (state: JobHead['state']): boolean =>
  state === 'succeeded' || state === 'failed' || state === 'stopped'

/** Which of two leaders counts: that of the higher term, and of two with the same term that whose name comes first. */
export const supersedes = (
  a: Pick<JobHead, 'term' | 'leader'>,
  b: Pick<JobHead, 'term' | 'leader'>,
): boolean => a.term > b.term || (a.term === b.term && a.leader < b.leader)

/** Does the first say more of the job than the second? Of the same leader's words, those that say that it is over are later. */
export const isNewer = (a: JobHead, b: JobHead): boolean =>
  supersedes(a, b) || (!supersedes(b, a) && isOver(a.state) && !isOver(b.state))
