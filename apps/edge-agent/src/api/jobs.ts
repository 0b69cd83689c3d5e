// What a node is asked about jobs. Any node of the cluster may be asked: it passes the question on to the node that leads the job.
import { method, nothing } from '@shoal/distributed/peers'
import { z } from 'zod'
import { jobEventSchema } from '../history/event.ts'
import { jobIdSchema, jobSpecSchema, jobStateSchema } from '../jobs/spec.ts'

const job = jobIdSchema

/** A job in a list. */
export const jobViewSchema = z.object({
  id: job,
  spec: jobSpecSchema,
  state: jobStateSchema,
  /** Why it waits or has failed; may be empty. */
  reason: z.string(),
  submittedAt: z.number(),
  endedAt: z.number().optional(),
  /** The node that leads it; empty where none does now. */
  leader: z.string(),
  attempt: z.int(),
  tasks: z.array(
    z.object({ task: z.string(), node: z.string(), state: z.enum(['running', 'done', 'failed', 'lost']) }),
  ),
})
/** A job in a list. */
export type JobView = z.infer<typeof jobViewSchema>

/** Takes a job. Its program and shards must have been put before. */
export const submit = method('jobs.submit', z.object({ spec: jobSpecSchema }), z.object({ job }))
/** All jobs that the cluster remembers, the newest first. */
export const list = method('jobs.list', nothing, z.object({ jobs: z.array(jobViewSchema) }))
/** One job. */
export const show = method('jobs.show', z.object({ job }), z.object({ view: jobViewSchema }))
/** Ends a job: its tasks are asked to stop, and ended 5 s later. */
export const stopJob = method('jobs.stop', z.object({ job, reason: z.string().max(500) }), nothing)
/** What has happened to a job, from some event on; waits for one where there is none yet. */
export const events = method(
  'jobs.events',
  z.object({ job, from: z.int().min(0), waitMs: z.number().min(0).max(30_000) }),
  z.object({
    events: z.array(jobEventSchema),
    /** Where to go on. */
    next: z.int(),
    state: jobStateSchema,
  }),
)
/** A document of a job. Version 0: there is none. */
export const readDocument = method(
  'jobs.readDocument',
  z.object({ job, key: z.string().min(1).max(200) }),
  z.object({ version: z.int().min(0), value: z.json() }),
)
