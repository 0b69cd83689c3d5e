// What nodes ask of each other about a job: its leader of those who keep copies and run tasks, and these of its leader.
import { method, nothing } from '@shoal/distributed/peers'
import { z } from 'zod'
import { jobViewSchema } from '../api/jobs.ts'
import { jobEventSchema } from '../history/event.ts'
import { hashSchema } from '../blobs/hash.ts'
import { entrySchema } from './record.ts'
import { datasetSchema, jobIdSchema, jobSpecSchema, needSchema } from './spec.ts'

const job = jobIdSchema
const task = z.string().max(100)
const attempt = z.int().min(0)
/** Who says so; one whose term is over is refused. */
const led = { job, term: z.int().min(1), leader: z.string() }

/** To a keeper: documents that are newer, and events from a place on. Answers how many events it has now. */
export const replicate = method(
  'jobs.replicate',
  z.object({
    ...led,
    entries: z.array(entrySchema),
    from: z.int().min(0),
    events: z.array(jobEventSchema),
    /** Forget the events that were there: this leader has others. */
    reset: z.boolean(),
  }),
  z.object({ events: z.int().min(0) }),
)
/** To a keeper: how many events does it have, and what tells the first `count` of them, or as many as there are, from any others? */
export const compareEvents = method(
  'jobs.compareEvents',
  z.object({ job, count: z.int().min(0) }),
  z.object({ events: z.int().min(0), digest: z.string() }),
)
/** To a keeper, by whoever takes over: events from a place on, as many as go well into one message. */
export const readEvents = method(
  'jobs.readEvents',
  z.object({ job, from: z.int().min(0) }),
  z.object({ events: z.array(jobEventSchema), next: z.int() }),
)
/** To a keeper, by whoever takes over: all that it has. */
export const readState = method(
  'jobs.state',
  z.object({ job }),
  z.object({ entries: z.array(entrySchema), events: z.int().min(0) }),
)
/** To any node: the jobs that it leads, or has copies of while nobody does. */
export const views = method('jobs.views', nothing, z.object({ jobs: z.array(jobViewSchema) }))
/** To a node: run a task. @throws where it has no room. */
export const startTask = method(
  'tasks.start',
  z.object({
    ...led,
    attempt,
    task,
    kind: jobSpecSchema.shape.kind,
    program: hashSchema,
    need: needSchema,
    timeLimitMs: z.int().min(1),
    /** How many tasks there are of each job. */
    cluster: z.record(z.string(), z.int().min(1)),
    /** The nodes of the tasks of a gang. */
    where: z.record(z.string(), z.string()),
    settings: z.record(z.string(), z.json()),
    datasets: z.record(z.string(), datasetSchema),
    reads: z.array(job),
  }),
  nothing,
)
/** To a node: end a task; it is over when the leader is told. */
export const stopTask = method(
  'tasks.stop',
  z.object({ ...led, task, attempt, reason: z.string().max(500), graceMs: z.number().min(0) }),
  nothing,
)
/** To a node, by a new leader or after a connection was lost: which tasks of the job run there? */
export const listTasks = method(
  'tasks.list',
  z.object({ ...led }),
  z.object({ tasks: z.array(z.object({ task, attempt })) }),
)
/** To the leader: the document of a key. */
export const readEntry = method(
  'jobs.read',
  z.object({ job, key: z.string().min(1).max(200) }),
  z.object({ version: z.int().min(0), value: z.json() }),
)
/** To the leader: write a document, if there is still that version. Answers the new one; none where there was another. */
export const writeEntry = method(
  'jobs.write',
  z.object({ job, key: z.string().min(1).max(200), ifVersion: z.int().min(0), value: z.json() }),
  z.object({ version: z.int().min(1).optional() }),
)
/** To the leader: what has happened to tasks. */
export const report = method(
  'jobs.report',
  z.object({ job, events: z.array(jobEventSchema).max(5000) }),
  nothing,
)
/** To the leader: a task is over. */
export const taskEnded = method(
  'jobs.taskEnded',
  z.object({
    job,
    task,
    attempt,
    node: z.string(),
    end: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('done') }),
      z.object({ kind: z.literal('stopped') }),
      z.object({ kind: z.literal('failed'), message: z.string().max(4000) }),
    ]),
    sent: z.number().min(0),
    received: z.number().min(0),
  }),
  nothing,
)
