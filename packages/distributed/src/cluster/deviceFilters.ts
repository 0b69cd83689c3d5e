// Which tasks a session speaks to. One that needs only the parameter servers must not wait for a worker that is not there.
import type { DeviceName } from '@shoal/core'
import { formatDeviceName, matchesDevice, parseDeviceName } from '@shoal/core'
import type { ClusterSpec } from './clusterSpec.ts'

/** A task, by job and number. */
export interface TaskName {
  readonly job: string
  readonly task: number
}

/** May a session with these filters use a device? Each filter is a device name in part, and one that fits is enough; no filters let all through. */
export function passesFilters(filters: readonly string[], device: DeviceName): boolean {
  return filters.length === 0 || filters.some((filter) => matchesDevice(parseDeviceName(filter), device))
}

/**
 * The tasks that a session at `own` speaks to: those that have devices which a filter may let through, and always its own.
 * @throws ValueError for a filter that is no device name.
 */
export function visibleTasks(cluster: ClusterSpec, filters: readonly string[], own: TaskName): ClusterSpec {
  // Which devices a task has is not known before it is asked: here only job and task count.
  const ofTasks = filters.map((filter) => {
    const { type: _type, index: _index, ...task } = parseDeviceName(filter)
    return formatDeviceName(task)
  })
  return cluster.filter(
    ({ job, task }) => (job === own.job && task === own.task) || passesFilters(ofTasks, { job, task }),
  )
}

/**
 * The filters for between-graph replication, where every task has a session of its own: a worker sees the parameter servers and itself, the
 * chief the parameter servers and its job, a parameter server everybody; others, such as an evaluator, have none.
 */
export function replicaFilters({ job, task }: TaskName): readonly string[] {
  switch (job) {
    case 'chief':
    case 'master':
      return ['/job:ps', `/job:${job}`]
    case 'worker':
      return ['/job:ps', `/job:worker/task:${task}`]
    case 'ps':
      return ['/job:ps', '/job:worker', '/job:chief', '/job:master']
    default:
      return []
  }
}
