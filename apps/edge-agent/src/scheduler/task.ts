// A task is named by its job of the ClusterSpec and its number there, and what it is to the others follows from that job.
import type { JobSpec } from '../jobs/spec.ts'

/** A task and the node that it runs on. */
export interface Place {
  /** `worker:0`. */
  readonly task: string
  readonly node: string
}

/** What a task is to its job. */
export interface Part {
  /** Does it only serve the others? Such tasks read no datasets. */
  readonly serving: boolean
  /** Does all of the exchange go through it, as through a parameter server or a chief? */
  readonly hub: boolean
}

/** The job of the ClusterSpec that a task belongs to: of `worker:0` it is `worker`. */
export const groupOf = (task: string): string => task.split(':', 1)[0]!

/** Is this the job of the task that looks after a run? */
export const isChief = (group: string): boolean => group === 'chief' || group === 'master'

/** What the tasks of a job of the ClusterSpec are to the others. */
export function partOf({ serving }: JobSpec, group: string): Part {
  const serves = serving.includes(group)
  return { serving: serves, hub: serves || isChief(group) }
}
