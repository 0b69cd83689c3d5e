// TF_CONFIG: the environment variable in which TensorFlow's operators tell a process its cluster and its place in it.
import { sayValue } from '@shoal/core'
import { ClusterError } from './clusterError.ts'
import type { ClusterDef } from './clusterSpec.ts'
import { ClusterSpec } from './clusterSpec.ts'
import { ServerDef } from './serverDef.ts'

/** What TF_CONFIG says. */
export interface TfConfig {
  readonly server: ServerDef
  /** Where the process runs: 'local', 'cloud', or what the operator calls it. Default 'local'. */
  readonly environment: string
  /** Which trial of a search over settings this process belongs to, where it belongs to one. */
  readonly trial?: string
}

/** The variables of a process: `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads TF_CONFIG in the forms that TensorFlow and its operators write:
 *
 * - `{ "cluster": { "worker": ["host:2222"] }, "task": { "type": "worker", "index": 0 }, "environment": "cloud" }`, the index as a number or as text;
 *   job chief, in older ones master, is the one that writes checkpoints; an evaluator is named in `task` and is not in `cluster`;
 * - `sparseCluster` in the place of `cluster`, where a worker that may come and go knows the parameter servers and itself:
 *   `{ "worker": { "3": "host:2222" }, "ps": ["host:2222"] }`; a parameter server knows itself alone, in a list with one address whatever its number.
 *
 * Keys that are not known are ignored, and jobs that are null or empty do not count.
 * @returns undefined where the variable is missing or empty or tells of no cluster: the process is alone.
 * @throws ClusterError naming the key that is wrong.
 */
export function readTfConfig(env: Environment): TfConfig | undefined {
  const text = env['TF_CONFIG']
  if (text === undefined || text.trim() === '') return undefined
  const config = section('TF_CONFIG', parse(text))
  const key = isEmpty(config['cluster']) ? 'sparseCluster' : 'cluster'
  if (isEmpty(config[key])) return undefined
  const listed = within(
    `TF_CONFIG.${key}`,
    () => new ClusterSpec(jobsOf(section(`TF_CONFIG.${key}`, config[key]))),
  )
  if (listed.jobs.length === 0) return undefined
  demandOneChief(listed, key)
  if (config['task'] === undefined)
    throw new ClusterError(`TF_CONFIG.task is missing: a process of a cluster has to know which task it is`)
  const task = section('TF_CONFIG.task', config['task'])
  const job = textAt('TF_CONFIG.task.type', task['type'])
  const index = indexAt('TF_CONFIG.task.index', task['index'])
  const cluster = key === 'sparseCluster' ? numbered(listed, job, index) : listed
  const trial = task['trial']
  return {
    server: within('TF_CONFIG.task', () => new ServerDef({ cluster, job, task: index })),
    environment:
      config['environment'] === undefined ? 'local' : textAt('TF_CONFIG.environment', config['environment']),
    ...((typeof trial === 'string' || typeof trial === 'number') && { trial: String(trial) }),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new ClusterError(`TF_CONFIG is no JSON: ${(cause as Error).message}`, { cause })
  }
}

type Section = Readonly<Record<string, unknown>>

function section(key: string, value: unknown): Section {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Section
  throw new ClusterError(`${key} must be an object, got ${sayValue(value)}`)
}

const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === 'object' && !Array.isArray(value) && Object.values(value).every((job) => job === null))

/** Operators write null for a list that is empty. */
const jobsOf = (jobs: Section): ClusterDef =>
  Object.fromEntries(Object.entries(jobs).filter(([, tasks]) => tasks !== null)) as ClusterDef

/** What goes wrong inside is wrong at `key`. */
function within<T>(key: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof ClusterError) throw new ClusterError(`${key}: ${error.message}`, { cause: error })
    throw error
  }
}

/** Two chiefs would both write checkpoints. */
function demandOneChief(cluster: ClusterSpec, key: string): void {
  const chiefs = ['chief', 'master'].flatMap((job) =>
    cluster.tasksOf(job).map((task) => `/job:${job}/task:${task}`),
  )
  if (chiefs.length > 1)
    throw new ClusterError(
      `TF_CONFIG.${key} has ${chiefs.join(' and ')}: there is one chief, or one master, at most`,
    )
}

/** The cluster of a parameter server that knows itself alone: the only address of its job is its own, under its own number. */
function numbered(cluster: ClusterSpec, job: string, index: number): ClusterSpec {
  const [first] = cluster.tasksOf(job)
  if (job !== 'ps' || cluster.taskCount(job) !== 1 || first !== 0) return cluster
  return new ClusterSpec({ ...cluster.toJSON(), [job]: { [index]: cluster.addressOf(job, 0) } })
}

function textAt(key: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value
  throw new ClusterError(
    value === undefined
      ? `${key} is missing`
      : `${key} must be a string that is not empty, got ${sayValue(value)}`,
  )
}

function indexAt(key: string, value: unknown): number {
  if (value === undefined) throw new ClusterError(`${key} is missing`)
  const index = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (typeof index === 'number' && Number.isSafeInteger(index) && index >= 0) return index
  throw new ClusterError(`${key} must be a whole number from 0, got ${sayValue(value)}`)
}
