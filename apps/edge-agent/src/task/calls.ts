// What a task and its agent say to each other over their pipe. All that a task says is checked and bounded here, for its program is anybody's.
import { method, nothing, type PeerIdentity } from '@shoal/distributed/peers'
import { z } from 'zod'
import { hashSchema } from '../blobs/hash.ts'
import type { Json } from '../jobs/json.ts'
import { datasetSchema, jobIdSchema, needSchema } from '../jobs/spec.ts'
import type { Assignment, TaskEnd } from './services.ts'

/** The file descriptor, in the task, of the pipe that the calls go over. */
export const pipeFd = 4
/** The most bytes of a blob that a task can put or get at once. */
export const blobBytes = 2 ** 28

/** How the pipe is used by both. No signs of life are asked for: a task may compute for minutes in one turn, and an end is told by the system. */
export const pipeFrames = {
  headBytes: 2 ** 24,
  messageBytes: blobBytes,
  tensors: 1,
  servedBytes: 2 ** 26,
  aliveMs: 86_400_000,
}

/** How the ends of the pipe name each other. */
export const peerNamed = (role: 'agent' | 'task', node: string): PeerIdentity => ({ cluster: '', node, role })

/** `worker:2`. */
export const taskNameSchema = z.string().regex(/^[a-z][a-z0-9_]{0,30}:\d{1,4}$/)

const json: z.ZodType<Json> = z.json()
const key = z.string().min(1).max(200)

/** What a process is told that it is. */
export const assignmentSchema: z.ZodType<Assignment> = z.object({
  jobId: jobIdSchema,
  kind: z.enum(['train', 'search', 'ensemble']),
  attempt: z.int().min(0),
  task: z.object({ job: z.string(), index: z.int().min(0) }),
  cluster: z.record(z.string(), z.int().min(0)),
  settings: z.record(z.string(), json),
  datasets: z.record(z.string(), datasetSchema),
  reads: z.array(jobIdSchema),
  devices: needSchema.shape.devices,
  node: z.string(),
})

const endSchema: z.ZodType<TaskEnd> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('done') }),
  z.object({ kind: z.literal('stopped') }),
  z.object({ kind: z.literal('failed'), message: z.string().max(100_000) }),
])

/** Numbers of a step, or a trial that has ended. */
export const toldSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('metrics'),
    step: z.number(),
    trial: z.int().min(0).optional(),
    values: z
      .record(z.string().max(100), z.number())
      .refine((values) => Object.keys(values).length <= 100, 'more than 100 numbers at once'),
  }),
  z.object({
    kind: z.literal('trialEnded'),
    trial: z.int().min(0),
    state: z.enum(['complete', 'pruned', 'failed']),
    params: z.record(z.string().max(100), json),
    value: z.number().optional(),
  }),
])
/** Numbers of a step, or a trial that has ended. */
export type Told = z.infer<typeof toldSchema>
/** The most of them in one call. */
export const toldAtOnce = 256

/** Asks the agent what this process is. */
export const assignmentCall = method('task.assignment', nothing, z.object({ assignment: assignmentSchema }))
/** Asks the agent for a document. */
export const readDocumentCall = method(
  'task.readDocument',
  z.object({ key, jobId: jobIdSchema.optional() }),
  z.object({ version: z.int().min(0), value: json }),
)
/** Has the agent write a document; no version: somebody else wrote meanwhile. */
export const writeDocumentCall = method(
  'task.writeDocument',
  z.object({ key, ifVersion: z.int().min(0), value: json }),
  z.object({ version: z.int().optional() }),
)
/** Has the agent keep the call's tensor of uint8. */
export const putBlobCall = method('task.putBlob', nothing, z.object({ hash: hashSchema }))
/** Asks the agent for a blob, which is the answer's tensor of uint8. */
export const getBlobCall = method('task.getBlob', z.object({ hash: hashSchema }), nothing)
/** Tells the agent things in the order in which they happened. */
export const tellCall = method('task.tell', z.object({ told: z.array(toldSchema).max(toldAtOnce) }), nothing)
/** Asks the agent for a stream to another task. It is handed over under the number that the task gave it, before the answer. */
export const connectCall = method(
  'task.connect',
  z.object({ task: taskNameSchema, stream: z.int().min(0) }),
  nothing,
)
/** Tells the agent how the program ended. */
export const endedCall = method('task.ended', z.object({ end: endSchema }), nothing)
/** Tells the task who is alive. */
export const livingCall = method('task.living', z.object({ tasks: z.array(z.string()) }), nothing)
/** Tells the task to stop. */
export const stopCall = method('task.stop', z.object({ reason: z.string() }), nothing)

/** What comes beside a socket that an agent hands over: the number under which it was asked for, or the task that has opened it. */
export type HandedOver = { readonly stream: number } | { readonly from: string }
