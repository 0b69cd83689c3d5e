// What the settings of a job come to as a request: which tasks there are, what each needs, and how they stand by each other.
import { basename, extname } from 'node:path'
import type { DatasetManifest, JobRequest, JobSpec, Json } from '@shoal/edge-agent/client'
import type { JobSettings } from '../config/config.ts'

/** What a request is made of. */
export interface RequestParts {
  readonly kind: JobSpec['kind']
  /** The hash of the bundle. */
  readonly program: string
  /** The file that it was made of. */
  readonly file: string
  readonly settings: JobSettings
  readonly datasets: Readonly<Record<string, DatasetManifest>>
  /** What the command itself tells the program, over what the settings do. */
  readonly told?: Readonly<Record<string, Json>>
  /** Jobs whose models it may read. Default: none. */
  readonly reads?: readonly string[]
}

/** These tasks compute for others, and need no device of their own. */
const serving = ['ps']
/** What a task with a GPU may take: what drivers and shaders take counts too, and in software all that is on the GPU. */
const gpuMemoryBytes = 2 ** 30

/** The request. Searches and ensembles are elastic; so is a training that says so. */
export function requestOf(parts: RequestParts): JobRequest {
  const { kind, program, file, settings, datasets, told = {}, reads = [] } = parts
  const { name, gpu, memory, cores, priority, timeLimit, retries, elastic, parallel } = settings
  const tasks = settings.tasks ?? { worker: (kind === 'search' ? parallel : undefined) ?? 'all' }
  const needOf = (job: string) => ({
    ...(gpu && !serving.includes(job) && { devices: ['webgpu' as const], memoryBytes: gpuMemoryBytes }),
    ...(memory !== undefined && { memoryBytes: memory }),
    ...(cores !== undefined && { cores }),
  })
  return {
    name: name ?? basename(file, extname(file)),
    kind,
    program,
    tasks: Object.fromEntries(
      Object.entries(tasks).map(([job, count]) => [job, { count, need: needOf(job) }]),
    ),
    scheduling: kind !== 'train' || elastic ? 'elastic' : 'gang',
    datasets: { ...datasets },
    settings: { ...settings.set, ...told } as NonNullable<JobRequest['settings']>,
    reads: [...reads],
    ...(priority !== undefined && { priority }),
    ...(timeLimit !== undefined && { timeLimitMs: timeLimit }),
    ...(retries !== undefined && { retries }),
  }
}
