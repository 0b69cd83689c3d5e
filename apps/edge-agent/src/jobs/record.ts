// What is known of a job, as documents: the job itself is one of them, and everything else is what its tasks have written.
import { z } from 'zod'
import type { JobView } from '../api/jobs.ts'
import type { Json } from './json.ts'
import { isOver, type JobHead } from './head.ts'
import { jobSpecSchema, jobStateSchema } from './spec.ts'

/**
 * A version: the term of the leader that wrote it times 2^32, plus a number that rises by each write. So of two that were written apart from each
 * other the one of the later leader counts, and no two writes have the same version.
 */
export type Version = number

const perTerm = 2 ** 32

/** The version that follows one, written in a term. */
export const nextVersion = (last: Version, term: number): Version => term * perTerm + (last % perTerm) + 1

/** A document as it is kept and copied. */
export const entrySchema = z.object({
  key: z.string().min(1).max(200),
  version: z.int().min(1),
  value: z.json(),
})
/** A document as it is kept and copied. */
export interface Entry {
  readonly key: string
  readonly version: Version
  readonly value: Json
}

/** The key of the job itself; those of tasks do not begin like this. */
export const recordKey = '~job'

/** A task as its leader knows it. */
export const placedTaskSchema = z.object({
  /** `worker:0`. */
  task: z.string(),
  node: z.string(),
  attempt: z.int().min(0),
  state: z.enum(['running', 'done', 'failed', 'lost']),
})
/** A task as its leader knows it. */
export type PlacedTask = z.infer<typeof placedTaskSchema>

/** The job itself. */
export const recordSchema = z.object({
  id: z.string(),
  spec: jobSpecSchema,
  submittedBy: z.string(),
  /** Milliseconds since 1970, as are all moments here. */
  submittedAt: z.number(),
  endedAt: z.number().optional(),
  state: jobStateSchema,
  reason: z.string(),
  term: z.int().min(1),
  leader: z.string(),
  keepers: z.array(z.string()).min(1).max(7),
  /** How often the gang was begun, and tasks of an elastic job. */
  attempt: z.int().min(0),
  /** How often tasks failed by themselves. */
  failures: z.int().min(0),
  tasks: z.array(placedTaskSchema),
})
/** The job itself. */
export type JobRecord = z.infer<typeof recordSchema>

/** The job in one line. */
export const headOf = ({
  id,
  term,
  leader,
  keepers,
  state,
  spec,
  submittedAt,
  tasks,
}: JobRecord): JobHead => ({
  id,
  term,
  leader,
  keepers,
  state,
  priority: spec.priority,
  submittedAt,
  ...(wantsMore({ state, spec, tasks }) && {
    asks: { ...spec, datasets: {}, settings: {} },
  }),
  there: isOver(state) ? [] : namesTaken(tasks),
})

/** Are there tasks of the job that look for a place, or may? An elastic one of which a task has returned has nothing more to do. */
export const wantsMore = ({ state, spec, tasks }: Pick<JobRecord, 'state' | 'spec' | 'tasks'>): boolean =>
  state === 'queued' ||
  (state === 'running' && spec.scheduling === 'elastic' && !tasks.some((task) => task.state === 'done'))

/** The tasks whose names are taken: those that run, and those that have done what they were to do. */
export const namesTaken = (
  tasks: readonly PlacedTask[],
): { readonly task: string; readonly node: string }[] =>
  tasks
    .filter(({ state }) => state === 'running' || state === 'done')
    .map(({ task, node }) => ({ task, node }))

/** The job in a list; `leader` is empty where the one that led it is not heard of. */
export const viewOf = (record: JobRecord, isLed: boolean): JobView => {
  const { id, spec, state, reason, submittedAt, endedAt, leader, attempt, tasks } = record
  return {
    id,
    spec,
    state,
    reason,
    submittedAt,
    ...(endedAt !== undefined && { endedAt }),
    leader: isLed ? leader : '',
    attempt,
    // Those that were ended with their job have nobody left to tell.
    tasks: tasks.map(({ task, node, state: of }) => ({
      task,
      node,
      state: of === 'running' && isOver(state) ? 'lost' : of,
    })),
  }
}

/** The job and the index of `worker:0`. */
export function taskOf(name: string): { readonly job: string; readonly index: number } {
  const at = name.lastIndexOf(':')
  return { job: name.slice(0, at), index: Number(name.slice(at + 1)) }
}
