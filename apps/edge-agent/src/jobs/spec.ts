// What somebody asks of the cluster: a program, the tasks that it shall have, and what each of them may use.
import { z } from 'zod'
import { hashSchema } from '../blobs/hash.ts'

/** 'j-' and 12 letters or digits. */
export const jobIdSchema = z.string().regex(/^j-[a-z0-9]{12}$/)

const taskJob = z.string().regex(/^[a-z][a-z0-9_]{0,30}$/)

/** How many tasks of a job of the ClusterSpec there shall be: a number, or whatever is there. */
export const countSchema = z.union([z.int().min(1).max(1024), z.literal('all')])

/** What one task must have. */
export const needSchema = z.object({
  /** Default 512 MiB, at least 96 MiB: an empty process has 60. The task is ended when it takes more. */
  memoryBytes: z
    .int()
    .min(96 * 2 ** 20)
    .default(2 ** 29),
  /** Cores that it keeps busy. Default 1. */
  cores: z.int().min(1).default(1),
  /** Kinds of devices, all of which its node must have. Default none. */
  devices: z.array(z.enum(['cpu', 'webgpu'])).default([]),
})

/** Files of a dataset, in shards that are named by their content. */
export const datasetSchema = z.object({
  files: z.array(
    z.object({
      /** Relative, with forward slashes. */
      path: z.string().min(1).max(500),
      bytes: z.int().min(0),
      shards: z.array(z.object({ hash: hashSchema, bytes: z.int().min(0) })),
    }),
  ),
})

/** What a job is. */
export const jobSpecSchema = z.object({
  /** For people. */
  name: z.string().min(1).max(100),
  /** What of its program is run. */
  kind: z.enum(['train', 'search', 'ensemble']),
  /** The bundled program. */
  program: hashSchema,
  /** The jobs of its ClusterSpec: { worker: { count: 4 }, ps: { count: 1 } }. */
  tasks: z
    .record(taskJob, z.object({ count: countSchema, need: needSchema.prefault({}) }))
    .refine((tasks) => Object.keys(tasks).length > 0, 'a job has one task at least'),
  /** Tasks of these jobs serve the others, and are ended when all others are done. Default 'ps'. */
  serving: z.array(taskJob).default(['ps']),
  /**
   * 'gang': all tasks run or none, and if one is lost all begin again from the last checkpoint. 'elastic': each for itself, as many as find a place
   * and up to the count.
   */
  scheduling: z.enum(['gang', 'elastic']),
  datasets: z.record(z.string().min(1).max(100), datasetSchema).default({}),
  /** What the program is told, as JSON: flags of the command. */
  settings: z.record(z.string(), z.json()).default({}),
  /** Which other job's documents and blobs it may read: that whose trials an ensemble is made of. */
  reads: z.array(jobIdSchema).default([]),
  /** Higher ones go first. Default 0. */
  priority: z.int().default(0),
  /** Milliseconds that a task may run. Default a day. */
  timeLimitMs: z.int().min(1).default(86_400_000),
  /** How often a task, or the gang, may fail by itself before the job has failed. Lost nodes do not count. Default 1. */
  retries: z.int().min(0).default(1),
})

/** What a job is. */
export type JobSpec = z.infer<typeof jobSpecSchema>
/** What a job is, where what has a default may be left out. */
export type JobRequest = z.input<typeof jobSpecSchema>
/** What one task must have. */
export type Need = z.infer<typeof needSchema>
/** Files of a dataset, in shards. */
export type DatasetManifest = z.infer<typeof datasetSchema>

/** Where a job stands. The last three are for ever. */
export const jobStateSchema = z.enum(['queued', 'running', 'succeeded', 'failed', 'stopped'])
/** Where a job stands. */
export type JobState = z.infer<typeof jobStateSchema>
