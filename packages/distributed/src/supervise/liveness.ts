// Who is alive, as far as one task knows, and who of them looks after what a cluster does once.
import { formatDeviceName } from '@shoal/core'
import { type ClusterSpec, localJob } from '../cluster/clusterSpec.ts'
import type { TaskName } from '../cluster/deviceFilters.ts'

/** What one task knows of the others. It may be wrong for a while: whoever must be the only one takes a lease besides. */
export interface Liveness {
  /** Is this task alive, as far as is known? One that was never heard of counts as alive until it is missed. */
  isAlive(task: TaskName): boolean
  /** Has `changed` called whenever an answer may be another one from then on, until what is returned is called. Left out: answers stay. */
  onChange?(changed: () => void): () => void
}

/** Nobody is ever known to be dead: for clusters whose tasks are started anew by something outside. */
export const everyoneLives: Liveness = { isAlive: () => true }

/** The jobs whose tasks train, and may be chief: first those that are asked first. */
const training = ['chief', 'master', 'worker', localJob]

/** The tasks that train, in the order in which they become chief. */
export const trainingTasks = (cluster: ClusterSpec): TaskName[] =>
  training.flatMap((job) => cluster.tasksOf(job).map((task) => ({ job, task })))

/**
 * The task that is chief now: the lowest living one of job chief, else of job master, else of job worker. Whoever asks knows of himself that he lives.
 * Undefined where nobody is left, and where the cluster knows no chief and of all workers one, which is not worker 0.
 */
export function chiefAmong(cluster: ClusterSpec, liveness: Liveness, own: TaskName): TaskName | undefined {
  // Workers that come and go know none but themselves: each would be chief. The one with number 0 is.
  const solitary = cluster.taskCount('worker') === 1 && !cluster.has('worker', 0)
  const candidates = trainingTasks(cluster).filter(({ job }) => job !== 'worker' || !solitary)
  return candidates.find((task) => isSame(task, own) || liveness.isAlive(task))
}

/** Whether two names are of one task. */
export const isSame = (a: TaskName, b: TaskName): boolean => formatDeviceName(a) === formatDeviceName(b)
