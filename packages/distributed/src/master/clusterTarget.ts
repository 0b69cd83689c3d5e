// The master of a session: it places graphs on the devices of a cluster, hands each worker its part, and sees to it that a step runs on all or ends on all.
import type {
  BoundGraph,
  CompileOptions,
  DeviceName,
  NDArray,
  Partition,
  SessionTarget,
  VariableResource,
} from '@shoal/core'
import {
  device as onDevice,
  formatDeviceName,
  planGraph,
  readWhereInitial,
  place,
  variablesOf,
} from '@shoal/core'
import type { ClusterSpec } from '../cluster/clusterSpec.ts'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { passesFilters, visibleTasks } from '../cluster/deviceFilters.ts'
import { asError, UnavailableError } from '../errors.ts'
import { graphToBytes } from '../protocol/graphBytes.ts'
import type { Connection } from '../transport/contract.ts'
import { ClusterExecutable, type Share } from './clusterExecutable.ts'
import { WorkerClient } from './workerClient.ts'

/** How a session on a cluster is made. */
export interface ClusterTargetOptions {
  readonly cluster: ClusterSpec
  /** The task that the session belongs to: its devices come first. */
  readonly own: TaskName
  /** A connection to a task; goes on trying until the deadline. */
  readonly connect: (task: TaskName, deadlineMs: number, signal?: AbortSignal) => Promise<Connection>
  /** Device names in part: the session speaks only to tasks that one of them fits, and to its own. Default: to all. */
  readonly deviceFilters?: readonly string[]
  /** true: variables and queues of its own on every worker. Default: those that all sessions share. */
  readonly isolated?: boolean
  /** Milliseconds that all tasks have to be there. Default 30,000. */
  readonly startDeadlineMs?: number
  /** Milliseconds after which a step is given up. Default 600,000. */
  readonly stepDeadlineMs?: number
  readonly signal?: AbortSignal
}

/** A session's part of a cluster: one session on each of its workers. */
export class ClusterTarget implements SessionTarget {
  /** None of them is of this process, though they may be: they are reached as all others are. */
  readonly devices = []
  private readonly workers: readonly WorkerClient[]
  private readonly stepDeadlineMs: number
  private readonly placeable
  /** Where variables are that this session has placed, as indices into the devices. */
  private readonly homes = new Map<string, number>()
  private graphs = 0
  private steps = 0

  private constructor(workers: readonly WorkerClient[], options: ClusterTargetOptions) {
    const { deviceFilters = [], own, stepDeadlineMs = 600_000 } = options
    this.workers = workers
    this.stepDeadlineMs = stepDeadlineMs
    const isOwn = ({ job, task }: DeviceName): boolean => job === own.job && task === own.task
    this.placeable = workers
      .flatMap((worker) => worker.devices.map((named, index) => ({ ...named, worker, index })))
      .filter(({ name }) => isOwn(name) || passesFilters(deviceFilters, name))
  }

  /**
   * Opens a session on all tasks that the filters let through.
   * @throws UnavailableError naming every task that did not come in time, SecurityError.
   */
  static async open(options: ClusterTargetOptions): Promise<ClusterTarget> {
    const { cluster, own, deviceFilters = [], isolated = false, startDeadlineMs = 30_000, signal } = options
    const session = crypto.randomUUID()
    const visible = visibleTasks(cluster, deviceFilters, own)
    const tasks = visible.entries()
    const begin = { session, isolated, cluster: visible.toJSON() }
    const isOwn = ({ job, task }: TaskName): boolean => job === own.job && task === own.task
    const ordered = [...tasks.filter(isOwn), ...tasks.filter((task) => !isOwn(task))]
    const ended = await Promise.allSettled(
      ordered.map(async ({ job, task }) => {
        const connection = await options.connect({ job, task }, startDeadlineMs, signal)
        return WorkerClient.open({ job, task }, connection, begin, signal)
      }),
    )
    const workers = ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const failed = ended.flatMap((one) => (one.status === 'rejected' ? [asError(one.reason)] : []))
    if (failed.length === 0) return new ClusterTarget(workers, options)
    await Promise.all(workers.map((worker) => worker.close()))
    if (failed.length === 1) throw failed[0]!
    throw new UnavailableError(failed.map(({ message }) => message).join('; '), { cause: failed[0] })
  }

  async compile(bound: BoundGraph, options: CompileOptions): Promise<ClusterExecutable> {
    const { graph, parts } = await this.plan(bound, options)
    for (const part of parts)
      for (const { name } of variablesOf(part.graph)) this.homes.set(name, part.device)
    const id = this.graphs++
    const shares = [...Map.groupBy(parts, ({ device }) => this.placeable[device]!.worker)].map(
      ([worker, own]) => this.shareOf(worker, own),
    )
    const executable = new ClusterExecutable(id, shares, graph.fetches.length, {
      nextStep: () => this.steps++,
      stepDeadlineMs: this.stepDeadlineMs,
    })
    const { fusion, maxActivationBytes } = options
    const registered = await Promise.allSettled(
      shares.map(({ worker, parts: defs, fetches }) =>
        worker.register({ graph: id, parts: defs, fetchCount: fetches.length, fusion, maxActivationBytes }),
      ),
    )
    const failed = registered.find((one) => one.status === 'rejected')
    if (!failed) return executable
    executable.free()
    throw failed.reason
  }

  async initialized(variables: readonly VariableResource[]): Promise<readonly boolean[]> {
    const byWorker = Map.groupBy(variables, (variable) => this.homeOf(variable, true).worker)
    const known = new Map<VariableResource, boolean>()
    await Promise.all(
      [...byWorker].map(async ([worker, theirs]) => {
        const answers = await worker.initialized(theirs)
        theirs.forEach((variable, i) => known.set(variable, answers[i]!))
      }),
    )
    return variables.map((variable) => known.get(variable)!)
  }

  async write(
    variable: VariableResource,
    value: NDArray,
    { softPlacement }: Pick<CompileOptions, 'softPlacement'>,
  ): Promise<void> {
    const { worker, name } = this.homeOf(variable, softPlacement)
    await worker.write(variable, value, formatDeviceName(name))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.close()))
  }

  /** Plans with what is known of the devices, and again for as long as something was assumed of them. */
  private async plan(bound: BoundGraph, options: CompileOptions): Promise<ReturnType<typeof planGraph>> {
    for (;;) {
      const lines: string[] = []
      const log = (line: string): void => void lines.push(line)
      const deviceOf = ({ name }: VariableResource): number | undefined => this.homes.get(name)
      const plan = planGraph(bound, { devices: this.placeable, deviceOf }, { ...options, log })
      const asked = await Promise.all(this.workers.map((worker) => worker.learn()))
      if (asked.includes(true)) continue
      lines.forEach(options.log)
      return plan
    }
  }

  private shareOf(worker: WorkerClient, parts: readonly Partition[]): Share {
    const feeds = [...new Set(parts.flatMap((part) => part.feeds))]
    const fetches = parts.flatMap((part) => part.fetches)
    return {
      worker,
      feeds,
      fetches,
      parts: parts.map((part) => ({
        device: this.placeable[part.device]!.index,
        feeds: part.feeds.map((i) => feeds.indexOf(i)),
        fetches: part.fetches.map((i) => fetches.indexOf(i)),
        def: graphToBytes({ graph: part.graph, feeds: part.inputs }),
      })),
    }
  }

  private homeOf(variable: VariableResource, soft: boolean) {
    let home = this.homes.get(variable.name)
    if (home === undefined) {
      const read = onDevice('', () => readWhereInitial(variable))
      home = place([read], this.placeable, { soft, deviceOf: () => undefined }).get(read)!
    }
    return this.placeable[home]!
  }
}
