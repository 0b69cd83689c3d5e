// A cluster of processes as its operator has it: whoever ends is started anew, as its exit code says, until the work is done.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ClusterDef } from '@shoal/distributed'
import { ClusterAuthority, type NodeCredentials } from '@shoal/distributed/node'
import { freeAddresses } from '@shoal/example-parts/addresses'
import { Journal } from './journal.ts'
import type { TrainingOptions } from './protocol.ts'
import { type Surroundings, TaskProcess } from './taskProcess.ts'

/** What a cluster is made of. */
export interface ClusterOptions {
  readonly training: TrainingOptions
  /** How many parameter servers. */
  readonly ps: number
  readonly workers: number
  /** Where each task listens; default: free ports of this machine. */
  readonly addressOf?: (name: string, port: number) => string
  /** Where a task finds another one. Default: where that one listens. */
  readonly route?: (from: string, to: string, address: string) => string
  /** Where and how a task runs. Default: like this process. */
  readonly surroundings?: (name: string) => Surroundings
  /** The folder of checkpoints. Default: a new one, which goes with the cluster. */
  readonly folder?: string
  /** From when and for how long certificates are valid. */
  readonly validity?: { readonly from: Date; readonly forMs: number }
  /** Prints every line that a task logs. */
  readonly verbose: boolean
}

/** Codes from here on say that a process may be started again. */
const mayTryAgain = 128

/** Processes, the folder that they share, and what they say. */
export class Cluster implements AsyncDisposable {
  readonly options: ClusterOptions
  readonly authority: ClusterAuthority
  readonly folder: string
  readonly journal: Journal
  /** `ps-0`, `worker-1` and where each listens. */
  readonly addresses: ReadonlyMap<string, string>
  /** How often a process was started in the place of another one. */
  restarts = 0
  private readonly credentials: ReadonlyMap<string, NodeCredentials>
  private readonly running = new Map<string, TaskProcess>()
  private readonly done = new Set<string>()
  /** Tasks that nobody starts anew for the time being. */
  private readonly held = new Set<string>()
  private readonly pids: number[] = []
  private readonly ends = new Set<Promise<void>>()
  private readonly temporary: boolean
  private starts = 0
  private ending = false

  private constructor(
    options: ClusterOptions,
    folder: string,
    authority: ClusterAuthority,
    credentials: ReadonlyMap<string, NodeCredentials>,
    addresses: ReadonlyMap<string, string>,
  ) {
    this.options = options
    this.folder = folder
    this.temporary = options.folder === undefined
    this.authority = authority
    this.credentials = credentials
    this.addresses = addresses
    this.journal = new Journal(options.verbose)
  }

  /** A cluster none of whose processes is started yet. */
  static async prepare(options: ClusterOptions): Promise<Cluster> {
    const { ps, workers, addressOf, validity } = options
    const names = [...numbered('ps', ps), ...numbered('worker', workers)]
    const free = await freeAddresses(names.length)
    const addresses = new Map(
      names.map((name, i) => [name, addressOf ? addressOf(name, 2222 + i) : free[i]!] as const),
    )
    const authority = await ClusterAuthority.create(validity)
    const credentials = new Map<string, NodeCredentials>()
    for (const name of names)
      credentials.set(name, await authority.issue({ node: name, role: placeOf(name).job, ...validity }))
    const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'shoal-faults-')))
    return new Cluster(options, folder, authority, credentials, addresses)
  }

  /** The names of all tasks. */
  get names(): readonly string[] {
    return [...this.addresses.keys()]
  }

  /** Starts all tasks that do not run. */
  startAll(): void {
    for (const name of this.names) if (!this.running.has(name)) this.start(name)
  }

  /** Starts a task. Whoever ends by itself or is killed is started anew from now on. */
  start(name: string): void {
    const { training, route = (_from, _to, address) => address, surroundings = () => ({}) } = this.options
    const cluster: Record<string, string[]> = {}
    for (const [other, address] of this.addresses)
      (cluster[placeOf(other).job] ??= []).push(other === name ? address : route(name, other, address))
    const start = this.starts++
    if (start >= training.starts) throw new Error(`${name} would be start ${start}: more than were planned`)
    this.held.delete(name)
    const task = new TaskProcess(
      {
        ...training,
        ...placeOf(name),
        cluster: cluster satisfies ClusterDef,
        credentials: this.credentials.get(name)!,
        folder: this.folder,
        start,
      },
      surroundings(name),
      (news) => this.journal.hear(name, news),
    )
    this.running.set(name, task)
    this.pids.push(task.pid)
    const ended = task.ended.then((how) => this.afterEnd(task, how))
    this.ends.add(ended)
    void ended.finally(() => this.ends.delete(ended))
  }

  /** How many processes were started so far. */
  get started(): number {
    return this.pids.length
  }
  /** The processes that run still, of all that were started. */
  left(): readonly number[] {
    return this.pids.filter((pid) => {
      try {
        return process.kill(pid, 0)
      } catch {
        return false
      }
    })
  }

  /** The process of a task. @throws Error where none runs. */
  process(name: string): TaskProcess {
    const task = this.running.get(name)
    if (!task) throw new Error(`${name} does not run`)
    return task
  }
  /** Does a process of this task run? */
  runs(name: string): boolean {
    return this.running.has(name)
  }

  /** Kills a process so that it cannot say a word. It is started anew, unless `hold` says that it shall wait until `start`. */
  async kill(name: string, { hold = false } = {}): Promise<void> {
    const task = this.process(name)
    if (hold) this.held.add(name)
    this.journal.note(`${name} is killed at step ${this.journal.step}`)
    task.kill('SIGKILL')
    await task.ended
  }

  /** Waits until all workers have done their work, and asks the servers to end. @throws Error naming who has not ended by then. */
  async finish(deadlineMs: number): Promise<void> {
    const workers = this.names.filter((name) => name.startsWith('worker'))
    await this.journal.until(
      () => workers.every((name) => this.done.has(name)),
      deadlineMs,
      () => `${workers.filter((name) => !this.done.has(name)).join(', ')} to end`,
    )
    this.ending = true
    for (const task of this.running.values()) task.kill('SIGTERM')
    await this.journal.until(
      () => this.running.size === 0,
      deadlineMs,
      () => `${[...this.running.keys()].join(', ')} to end when asked to`,
    )
  }

  /** Ends whatever runs, and removes the folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.ending = true
    for (const task of this.running.values()) task.kill('SIGKILL')
    await Promise.all(this.ends)
    if (this.temporary) await rm(this.folder, { recursive: true, force: true })
  }

  private afterEnd(task: TaskProcess, how: number | NodeJS.Signals): void {
    const { name } = task
    this.running.delete(name)
    if (how === 0) this.done.add(name)
    else if (!this.ending) {
      const again = typeof how === 'string' || how >= mayTryAgain
      if (!again) this.journal.fail(`${name} ended with ${how}, after which nobody starts it anew`)
      else if (!this.held.has(name)) {
        this.journal.note(`${name} ended with ${how} and is started anew`)
        this.restarts++
        this.start(name)
      }
    }
    this.journal.changed()
  }
}

const numbered = (job: string, count: number): string[] =>
  Array.from({ length: count }, (_, task) => `${job}-${task}`)

/** `worker-1` as a job and a number. */
const placeOf = (name: string): { readonly job: string; readonly task: number } => {
  const [job = '', task] = name.split('-')
  return { job, task: Number(task) }
}
