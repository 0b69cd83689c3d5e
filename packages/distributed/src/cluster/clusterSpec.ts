// A cluster is jobs, a job is numbered tasks, a task is an address. Numbers may have gaps: a task need not know all others.
import { isDeviceWord, sayValue } from '@shoal/core'
import { ClusterError } from './clusterError.ts'

/** A job as it is written: the addresses of its tasks from 0 on, or addresses by task number where not all tasks are known. */
export type JobDef = readonly string[] | Readonly<Record<string, string>>
/** A cluster as it is written, in JSON too: `{ ps: ['ps0:2222'], worker: { 3: 'w3:2222' } }`. */
export type ClusterDef = Readonly<Record<string, JobDef>>

/** One task of a cluster. */
export interface TaskAddress {
  readonly job: string
  readonly task: number
  /** `host:port` or `[v6]:port`. */
  readonly address: string
}

/** Who belongs to a cluster, and where. Immutable, checked when it is made. */
export class ClusterSpec {
  private readonly tasks: ReadonlyMap<string, ReadonlyMap<number, string>>

  /**
   * @param jobs a list of addresses for each job, or a map from task numbers to addresses. A job without tasks is none.
   * @throws ClusterError for a job name, task number or address that is none, and for an address that two tasks have.
   */
  constructor(jobs: ClusterDef | ClusterSpec) {
    this.tasks = jobs instanceof ClusterSpec ? jobs.tasks : readJobs(jobs)
  }

  /** The names of the jobs, in the order in which they were written. */
  get jobs(): readonly string[] {
    return [...this.tasks.keys()]
  }
  /** How many tasks a job has; 0 where there is no such job. */
  taskCount(job: string): number {
    return this.tasks.get(job)?.size ?? 0
  }
  /** The numbers of a job's tasks, ascending; none where there is no such job. */
  tasksOf(job: string): readonly number[] {
    return [...(this.tasks.get(job)?.keys() ?? [])]
  }
  /** Is this task in the cluster? */
  has(job: string, task: number): boolean {
    return this.tasks.get(job)?.has(task) ?? false
  }
  /** The address of a task. @throws ClusterError naming the tasks that there are. */
  addressOf(job: string, task: number): string {
    const address = this.tasks.get(job)?.get(task)
    if (address !== undefined) return address
    throw new ClusterError(`there is no /job:${job}/task:${task} in the cluster: it has ${this.summary()}`)
  }
  /** Every task with its address, job by job, by ascending number. */
  entries(): readonly TaskAddress[] {
    return [...this.tasks].flatMap(([job, tasks]) =>
      [...tasks].map(([task, address]) => ({ job, task, address })),
    )
  }

  /** The cluster with only the tasks that `keep` accepts. */
  filter(keep: (entry: TaskAddress) => boolean): ClusterSpec {
    return fromEntries(this.entries().filter(keep))
  }
  /** The tasks of both clusters. @throws ClusterError where one task has two addresses, or one address two tasks. */
  merge(other: ClusterSpec): ClusterSpec {
    for (const { job, task, address } of other.entries())
      if (this.has(job, task) && this.addressOf(job, task) !== address)
        throw new ClusterError(
          `/job:${job}/task:${task} is at '${this.addressOf(job, task)}' in one cluster and at '${address}' in the other`,
        )
    return fromEntries([...this.entries(), ...other.entries()])
  }
  /** Have both the same tasks at the same addresses? The order of jobs does not count. */
  equals(other: ClusterSpec): boolean {
    const [mine, theirs] = [this.entries(), other.entries()]
    return (
      mine.length === theirs.length &&
      mine.every(({ job, task, address }) => other.has(job, task) && other.addressOf(job, task) === address)
    )
  }

  /** The cluster as it is written: jobs without gaps as lists, others as maps. */
  toJSON(): ClusterDef {
    return Object.fromEntries([...this.tasks].map(([job, tasks]) => [job, writeJob(tasks)]))
  }
  /** `ps (0), worker (0, 1, 3)`: the jobs and the numbers of their tasks. */
  private summary(): string {
    const said = [...this.tasks].map(([job, tasks]) => `${job} (${[...tasks.keys()].join(', ')})`)
    return said.join(', ') || 'no tasks'
  }
}

/** The job of a process that is a cluster by itself. */
export const localJob = 'localhost'

/**
 * The task that looks after what a cluster does once: of job chief, else of job master, else worker 0, or who is alone; undefined where the cluster knows none of
 * these. A worker with another number is never chief: of those that know only themselves, each would be.
 */
export function chiefOf(cluster: ClusterSpec): TaskAddress | undefined {
  const job = ['chief', 'master', localJob].find((name) => cluster.taskCount(name) > 0) ?? 'worker'
  const task = job === 'worker' ? 0 : cluster.tasksOf(job)[0]!
  return cluster.has(job, task) ? { job, task, address: cluster.addressOf(job, task) } : undefined
}

function fromEntries(entries: readonly TaskAddress[]): ClusterSpec {
  const jobs = Map.groupBy(entries, ({ job }) => job)
  const tasksOf = (job: readonly TaskAddress[]): JobDef =>
    Object.fromEntries(job.map(({ task, address }) => [task, address]))
  return new ClusterSpec(Object.fromEntries([...jobs].map(([job, tasks]) => [job, tasksOf(tasks)])))
}

function writeJob(tasks: ReadonlyMap<number, string>): JobDef {
  // Numbers ascend: a job has no gaps where the last one is the count.
  const dense = [...tasks.keys()].every((task, i) => task === i)
  return dense ? [...tasks.values()] : Object.fromEntries(tasks)
}

function readJobs(jobs: unknown): ReadonlyMap<string, ReadonlyMap<number, string>> {
  if (!isRecord(jobs))
    throw new ClusterError(
      `a cluster is an object with a list of addresses for each job, { worker: ['host:2222'] }, got ${sayValue(jobs)}`,
    )
  const read = new Map<string, ReadonlyMap<number, string>>()
  const owners = new Map<string, string>()
  for (const [job, tasks] of Object.entries(jobs)) {
    if (!isDeviceWord(job))
      throw new ClusterError(`job '${job}': a name begins with a letter and has letters, digits, '_' and '-'`)
    const known = readTasks(job, tasks)
    for (const [task, address] of known) claim(owners, address, `/job:${job}/task:${task}`)
    if (known.size > 0) read.set(job, known)
  }
  return read
}

/** Two tasks at one address could not both be reached; port 0, which stands for any that is free, is nobody's yet. */
function claim(owners: Map<string, string>, address: string, name: string): void {
  const owner = owners.get(address)
  if (owner !== undefined) throw new ClusterError(`${owner} and ${name} are both at '${address}'`)
  if (!address.endsWith(':0')) owners.set(address, name)
}

function readTasks(job: string, tasks: unknown): ReadonlyMap<number, string> {
  if (!Array.isArray(tasks) && !isRecord(tasks))
    throw new ClusterError(
      `job '${job}' is a list of addresses, or an object with an address for each task number, got ${sayValue(tasks)}`,
    )
  const entries = Object.entries(tasks as Readonly<Record<string, unknown>>).map(
    ([task, address]) =>
      [readTaskNumber(job, task), readAddress(`/job:${job}/task:${task}`, address)] as const,
  )
  return new Map(entries.toSorted(([a], [b]) => a - b))
}

/** Task numbers are int32 in the protocol buffers of TensorFlow, and in ours. */
const mostTask = 2 ** 31 - 1

function readTaskNumber(job: string, text: string): number {
  const task = Number(text)
  if (/^(?:0|[1-9]\d*)$/.test(text) && task <= mostTask) return task
  throw new ClusterError(`job '${job}' has a task '${text}': tasks are numbered 0, 1, 2, …`)
}

function readAddress(task: string, address: unknown): string {
  const [, port] =
    (typeof address === 'string' && /^(?:\[[\da-fA-F:.]+\]|[^\s:[\]/]+):(\d{1,5})$/.exec(address)) || []
  if (port !== undefined && Number(port) <= 65535) return address as string
  throw new ClusterError(`the address of ${task} is 'host:port' or '[v6]:port', got ${sayValue(address)}`)
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
