// Finds places for the tasks of a job among all that wait: every leader looks at the whole queue in the same way, and acts for its own job alone.
import type { Role } from '../api/node.ts'
import { has } from '../api/blobs.ts'
import { explain } from '../scheduler/explain.ts'
import { move } from '../scheduler/grow.ts'
import { nextPlacements, type RunningJob, type WaitingJob } from '../scheduler/queue.ts'
import { type Holding, offersOf } from '../scheduler/offer.ts'
import { yielding } from '../scheduler/yielding.ts'
import { isOver, type JobHead, supersedes } from './head.ts'
import type { Placement } from './leader.ts'
import type { Blobs, Nodes, PresentNode } from './ports.ts'
import { type JobRecord, namesTaken, taskOf, wantsMore } from './record.ts'
import type { JobSpec } from './spec.ts'

/** What finding places is done with. */
export interface PlacerMeans {
  readonly nodes: Nodes
  readonly blobs: Blobs
  /** Nodes that are to be given nothing of the job now. */
  readonly avoided: ReadonlySet<string>
  /** The jobs that this node leads, as they are now. */
  readonly led: () => readonly JobRecord[]
}

/** A node that does not say soon what it has counts as having nothing of it. */
const askMs = 1000
/** Of larger datasets a part stands for all. */
const mostShards = 1000

/** Where the tasks of a job that have no place are to run. */
export async function findPlaces(
  record: JobRecord,
  { nodes, blobs, avoided, led }: PlacerMeans,
): Promise<Placement> {
  const present = nodes.present()
  const willing = present.filter(({ nodeId }) => !avoided.has(nodeId))
  const shards = shardsOf(record.spec).slice(0, mostShards)
  const hashes = await Promise.all(willing.map((node) => blobsOf(node, shards)))
  const own = led()
  const offers = offersOf(
    willing.map(({ nodeId, role, inventory }, i) => ({
      nodeId,
      role: role as Role,
      inventory,
      hashes: hashes[i]!,
    })),
    holdings(present, own),
  )
  const others = headsOf(present).filter(({ id }) => !own.some((job) => job.id === id))
  const waiting: WaitingJob[] = [
    ...own.filter(({ state }) => state === 'queued').map(asked),
    ...others.flatMap((head) => (head.state === 'queued' && head.asks ? [asking(head, head.asks)] : [])),
  ]
  const running: RunningJob[] = [
    ...own
      .filter((job) => job.state === 'running' && wantsMore(job))
      .map((job) => ({ ...asked(job), there: namesTaken(job.tasks) })),
    ...others.flatMap((head) =>
      head.state === 'running' && head.asks ? [{ ...asking(head, head.asks), there: head.there }] : [],
    ),
  ]
  const all = { waiting, running, offers }
  const decision = nextPlacements(all).find(({ jobId }) => jobId === record.id)?.decision
  if (decision?.kind === 'placed')
    return {
      kind: 'placed',
      tasks: decision.assignments.map(({ task, node }) => ({ task, node })),
      why: explain(decision, offers),
    }
  const yields = yielding(all).flatMap(({ jobId, task }) => (jobId === record.id ? [task] : []))
  // What is given up on a hot node finds its place on a cooler one.
  const there = namesTaken(record.tasks)
  const hot =
    yields.length === 0 && wantsMore(record) ? move({ spec: record.spec, there, offers }) : undefined
  return { kind: 'wait', reason: decision?.reason ?? '', yields: hot ? [hot.task] : yields }

  async function blobsOf({ nodeId }: PresentNode, asked: readonly string[]): Promise<ReadonlySet<string>> {
    if (asked.length === 0) return new Set()
    if (nodeId === nodes.self.nodeId) return new Set(blobs.sizes(asked).keys())
    try {
      const { says } = await nodes.call(nodeId, has, { hashes: [...asked] }, { deadlineMs: askMs })
      return new Set(asked.filter((_, i) => says.bytes[i]! >= 0))
    } catch {
      return new Set()
    }
  }
}

/** What is taken: by the tasks that nodes tell of, and by those that were begun so lately that they do not yet. */
function holdings(present: readonly PresentNode[], own: readonly JobRecord[]): readonly Holding[] {
  const told = present.flatMap(({ nodeId, taken }) => taken.map((need) => ({ node: nodeId, need })))
  const isTold = (job: string, task: string, node: string): boolean =>
    present.some(
      (each) => each.nodeId === node && each.taken.some((one) => one.job === job && one.task === task),
    )
  const begun = own.flatMap(({ id, spec, tasks }) =>
    tasks.flatMap(({ task, node, state }) =>
      state === 'running' && !isTold(id, task, node)
        ? [{ node, need: spec.tasks[taskOf(task).job]!.need }]
        : [],
    ),
  )
  return [...told, ...begun]
}

/** The newest head of each job. */
function headsOf(present: readonly PresentNode[]): readonly JobHead[] {
  const newest = new Map<string, JobHead>()
  for (const head of present.flatMap(({ jobs }) => jobs)) {
    const known = newest.get(head.id)
    if (!known || supersedes(head, known) || (head.leader === known.leader && isOver(head.state)))
      newest.set(head.id, head)
  }
  return [...newest.values()]
}

const asked = ({ id, spec, submittedAt }: JobRecord): WaitingJob => ({ jobId: id, spec, submittedAt })
const asking = ({ id, submittedAt }: JobHead, spec: JobSpec): WaitingJob => ({ jobId: id, spec, submittedAt })

/** The shards of all datasets of a job. */
export const shardsOf = ({ datasets }: JobSpec): readonly string[] =>
  Object.values(datasets).flatMap(({ files }) =>
    files.flatMap(({ shards }) => shards.map(({ hash }) => hash)),
  )
