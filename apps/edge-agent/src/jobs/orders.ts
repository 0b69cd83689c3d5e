// What the leader of a job tells nodes to do about its tasks.
import { listTasks, startTask, stopTask } from './methods.ts'
import type { Nodes } from './ports.ts'
import { type JobRecord, type PlacedTask, taskOf } from './record.ts'

const callMs = 5000
/** The program may have to be fetched first. */
const beginMs = 60_000
const stopGraceMs = 5000

/** Speaks to the nodes of tasks. */
export class Orders {
  readonly #nodes: Nodes

  constructor(nodes: Nodes) {
    this.#nodes = nodes
  }

  /** Has a task begun, which is one of `all` that are begun now. @throws why it was not. */
  async begin(
    record: JobRecord,
    { task, node, attempt }: PlacedTask,
    all: readonly PlacedTask[],
  ): Promise<void> {
    const { spec, id: job, term, leader } = record
    const { need } = spec.tasks[taskOf(task).job]!
    const where =
      spec.scheduling === 'gang' ? Object.fromEntries(all.map((each) => [each.task, each.node])) : {}
    const { kind, program, timeLimitMs, settings, datasets, reads } = spec
    const what = { kind, program, need, timeLimitMs, settings, datasets, reads }
    const request = { job, term, leader, task, attempt, ...what, where, cluster: clusterOf(record) }
    await this.#nodes.call(node, startTask, request, { deadlineMs: beginMs })
  }

  /** Has a task ended. A node that cannot be told is not there, or is told when it is back. */
  end(
    { id: job, term, leader }: JobRecord,
    node: string,
    task: string,
    attempt: number,
    reason: string,
    graceMs = stopGraceMs,
  ): void {
    const request = { job, term, leader, task, attempt, reason, graceMs }
    this.#nodes.call(node, stopTask, request, { deadlineMs: callMs }).catch(() => undefined)
  }

  /** The tasks of the job that a node has; undefined where it does not answer. */
  async tasksOf(
    { id: job, term, leader }: JobRecord,
    node: string,
  ): Promise<readonly { readonly task: string; readonly attempt: number }[] | undefined> {
    try {
      return (await this.#nodes.call(node, listTasks, { job, term, leader }, { deadlineMs: callMs })).says
        .tasks
    } catch {
      return undefined
    }
  }
}

/** How many tasks of each job there are, or may be. */
function clusterOf({ spec, tasks }: JobRecord): Record<string, number> {
  return Object.fromEntries(
    Object.entries(spec.tasks).map(([job, { count }]) => [
      job,
      count === 'all' ? Math.max(1, tasks.filter(({ task }) => taskOf(task).job === job).length) : count,
    ]),
  )
}
