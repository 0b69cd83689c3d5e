// What happens to a job, one event after the other: what history keeps, what watchers are told, and what charts are drawn of.
import { z } from 'zod'
import { jobIdSchema, jobSpecSchema, jobStateSchema } from '../jobs/spec.ts'

const node = z.string()
/** `worker:2`. */
const task = z.string()
const attempt = z.int().min(0)

/** What is in every event. */
const base = {
  /** Of this format. */
  v: z.literal(1),
  job: jobIdSchema,
  /** Milliseconds since 1970, by the clock of the node that made it. */
  at: z.number(),
}

/** An event of a job. */
export const jobEventSchema = z.discriminatedUnion('kind', [
  /** The first of every history. */
  z.object({ ...base, kind: z.literal('submitted'), node, spec: jobSpecSchema }),
  /** It changed its state; `reason` says why where that is no matter of course. */
  z.object({ ...base, kind: z.literal('state'), state: jobStateSchema, attempt, reason: z.string() }),
  /** A node leads it from now on. */
  z.object({ ...base, kind: z.literal('led'), node, term: z.int().min(1) }),
  /** A task was begun on a node. */
  z.object({ ...base, kind: z.literal('taskStarted'), task, attempt, node }),
  /** A task is over; `reason` is empty where it did what it was to do. */
  z.object({ ...base, kind: z.literal('taskEnded'), task, attempt, node, reason: z.string() }),
  /** Numbers that a task measured at a step: loss, accuracy, stepsPerSecond. Those of trials carry the trial's number. */
  z.object({
    ...base,
    kind: z.literal('metrics'),
    task,
    attempt,
    node,
    step: z.number(),
    trial: z.int().min(0).optional(),
    values: z.record(z.string(), z.number()),
  }),
  /** A line that a task wrote. */
  z.object({
    ...base,
    kind: z.literal('log'),
    task,
    attempt,
    node,
    stream: z.enum(['stdout', 'stderr']),
    line: z.string(),
  }),
  /** A trial of a search has ended. */
  z.object({
    ...base,
    kind: z.literal('trialEnded'),
    trial: z.int().min(0),
    node,
    state: z.enum(['complete', 'pruned', 'failed']),
    params: z.record(z.string(), z.json()),
    value: z.number().optional(),
  }),
  /** Bytes that a task sent and received, told when it ends. */
  z.object({
    ...base,
    kind: z.literal('traffic'),
    task,
    attempt,
    node,
    sent: z.number(),
    received: z.number(),
  }),
  /** A node of the job is not heard of any more, or is back. */
  z.object({ ...base, kind: z.literal('node'), node, state: z.enum(['lost', 'back']) }),
])

/** An event of a job. */
export type JobEvent = z.infer<typeof jobEventSchema>
