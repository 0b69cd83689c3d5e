// The methods about jobs as a node serves them: what it knows itself, and what it asks of the node that leads the job.
import { NotFoundError } from '@shoal/core'
import { type Handler, type Method, SecurityError, type ServedCall, serving } from '@shoal/distributed/peers'
import * as api from '../api/jobs.ts'
import type { JobEvent } from '../history/event.ts'
import type { Jobs } from './jobs.ts'
import { isOver } from './head.ts'
import type { Json } from './json.ts'
import * as internal from './methods.ts'
import type { Nodes } from './ports.ts'
import type { TaskHost } from './taskHost.ts'

/** What the methods are served from. */
export interface ServeMeans {
  readonly jobs: Jobs
  readonly host: TaskHost
  readonly nodes: Nodes
}

const nothing = { says: {}, tensors: [] } as const
const callMs = 10_000

/** What tasks may tell: the rest of a history is the leader's. */
const told = new Set<JobEvent['kind']>(['metrics', 'log', 'trialEnded'])

function demandOwn(event: JobEvent, job: string, node: string): void {
  if (!told.has(event.kind) || event.job !== job || !('node' in event) || event.node !== node)
    throw new SecurityError(
      `'${node}' may not tell '${event.kind}' of job ${event.job}: its own tasks' words only`,
    )
}

/** All methods about jobs. */
export function jobMethods({ jobs, host, nodes }: ServeMeans): Readonly<Record<string, Handler>> {
  return Object.fromEntries([
    serving(api.submit, async ({ says: { spec } }, { peer }) => {
      // A client may go away at any moment: somebody else leads what it asks for.
      const self = nodes.self
      if (self.role === 'manager') {
        const job = await jobs.submit(spec, peer.node)
        return { says: { job }, tensors: [] }
      }
      const other = nodes.present().find(({ role, nodeId }) => role === 'manager' && nodeId !== self.nodeId)
      if (!other)
        throw new NotFoundError(
          'no manager of this cluster is connected, and managers alone lead jobs: see shoal nodes',
        )
      return nodes.call(other.nodeId, api.submit, { spec }, { deadlineMs: 600_000 })
    }),
    serving(api.list, async () => {
      const lists = await Promise.allSettled(
        nodes.present().map(({ nodeId }) => nodes.call(nodeId, internal.views, {}, { deadlineMs: 3000 })),
      )
      const all = new Map<string, api.JobView>()
      for (const list of lists) {
        if (list.status === 'rejected') continue
        for (const view of list.value.says.jobs) {
          const known = all.get(view.id)
          if (!known || (known.leader === '' && view.leader !== '')) all.set(view.id, view)
        }
      }
      return {
        says: { jobs: [...all.values()].toSorted((a, b) => b.submittedAt - a.submittedAt) },
        tensors: [],
      }
    }),
    serving(internal.views, () => ({ says: { jobs: [...jobs.views] }, tensors: [] })),
    serving(api.show, (request, call) =>
      passed(api.show, request.says, call, () => ({ view: jobs.view(request.says.job) })),
    ),
    serving(api.stopJob, (request, call) =>
      passed(api.stopJob, request.says, call, async () => {
        if (!isOver(jobs.view(request.says.job).state))
          await jobs.leader(request.says.job).stop(request.says.reason || `'${call.peer.node}' stopped it`)
        return {}
      }),
    ),
    serving(api.events, (request, call) =>
      passed(api.events, request.says, call, async () => {
        const { job, from, waitMs } = request.says
        const { log } = jobs.replica(job)
        const isDone = isOver(jobs.view(job).state) && from >= log.length
        const { signal } = call
        const { events, next } = isDone
          ? { events: [], next: from }
          : await log.tail(from, { deadlineMs: Math.max(1, waitMs), signal })
        // Whoever was told of an event is told of it by the next leader as well.
        await jobs.keepEvents(job, next)
        return { events: [...events], next, state: jobs.view(job).state }
      }),
    ),
    serving(api.readDocument, (request, call) =>
      passed(api.readDocument, request.says, call, () => document(request.says.job, request.says.key)),
    ),
    serving(internal.replicate, async ({ says }) => {
      const entries = says.entries.map((entry) => ({ ...entry, value: entry.value as Json }))
      return { says: { events: await jobs.take(says, { ...says, entries }) }, tensors: [] }
    }),
    serving(internal.compareEvents, async ({ says: { job, count } }) => ({
      says: await jobs.compareEvents(job, count),
      tensors: [],
    })),
    serving(internal.readEvents, async ({ says: { job, from } }) => {
      const { events, next } = await jobs.replica(job).log.read(from)
      return { says: { events: [...events], next }, tensors: [] }
    }),
    serving(internal.readState, ({ says: { job } }) => {
      const { entries, events } = jobs.state(job)
      return {
        says: { entries: entries.map((entry) => ({ ...entry, value: entry.value as never })), events },
        tensors: [],
      }
    }),
    serving(internal.readEntry, ({ says: { job, key } }) => ({ says: document(job, key), tensors: [] })),
    serving(internal.writeEntry, async ({ says: { job, key, ifVersion, value } }, { peer }) => {
      jobs.leader(job).demandHost(peer.node)
      const version = await jobs.leader(job).write(key, ifVersion, value as Json)
      return { says: version === undefined ? {} : { version }, tensors: [] }
    }),
    serving(internal.report, async ({ says: { job, events } }, { peer }) => {
      jobs.leader(job).demandHost(peer.node)
      for (const event of events) demandOwn(event, job, peer.node)
      await jobs.leader(job).report(events)
      return nothing
    }),
    serving(internal.taskEnded, async ({ says }, { peer }) => {
      if (says.node !== peer.node)
        throw new SecurityError(`'${peer.node}' may not say how a task on '${says.node}' has ended`)
      await jobs.leader(says.job).taskEnded(says)
      return nothing
    }),
    serving(internal.startTask, async ({ says }) => {
      jobs.demandLeader(says)
      await host.start(says)
      return nothing
    }),
    serving(internal.stopTask, ({ says }) => {
      jobs.demandLeader(says)
      const { job, task, attempt, reason, graceMs } = says
      host.stop(job, task, attempt, reason, graceMs)
      return nothing
    }),
    serving(internal.listTasks, ({ says }) => {
      jobs.demandLeader(says)
      return { says: { tasks: [...host.tasksOf(says.job)] }, tensors: [] }
    }),
  ])

  /** Answers here, or has the node answer that leads the job; while nobody does, one that keeps a copy. */
  async function passed<Q extends { readonly job: string }, A>(
    method: Method<Q, A>,
    request: Q,
    { signal, peer }: ServedCall,
    own: () => A | Promise<A>,
  ): Promise<{ readonly says: A; readonly tensors: readonly [] }> {
    const leader = jobs.leaderOf(request.job) ?? jobs.keepersOf(request.job)[0]
    // What another node has passed on goes no further.
    const isOwn = peer.node === nodes.self.nodeId
    if (leader === undefined || leader === nodes.self.nodeId || !isOwn)
      return { says: await own(), tensors: [] }
    const waitMs = 'waitMs' in request ? Number(request.waitMs) : 0
    const { says } = await nodes.call(leader, method, request, { deadlineMs: waitMs + callMs, signal })
    return { says, tensors: [] }
  }

  function document(job: string, key: string): { version: number; value: never } {
    const isFinal = isOver(jobs.view(job).state)
    const entry = isFinal ? jobs.replica(job).documents.get(key) : undefined
    const { version, value } = isFinal ? (entry ?? { version: 0, value: null }) : jobs.leader(job).read(key)
    return { version, value: value as never }
  }
}
