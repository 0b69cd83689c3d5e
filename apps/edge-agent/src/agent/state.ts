// How a node does at a moment, in numbers, put together from its parts.
import type { BlobFetcher } from '../blobs/fetch.ts'
import type { BlobStore } from '../blobs/blobStore.ts'
import type { AgentState } from '../history/prometheus.ts'
import type { Jobs } from '../jobs/jobs.ts'
import type { TaskHost } from '../jobs/taskHost.ts'
import type { Machine } from '../machine/machine.ts'
import type { Neighbours } from './neighbours.ts'
import { version } from './version.ts'

/** The parts of an agent that have something to tell. */
export interface StateParts {
  readonly machine: Machine
  readonly neighbours: Neighbours
  readonly jobs: Jobs
  readonly tasks: TaskHost
  readonly store: BlobStore
  readonly fetcher: BlobFetcher
}

/** How the agent does at this moment. */
export function stateOf({ machine, neighbours, jobs, tasks, store, fetcher }: StateParts): AgentState {
  const inventory = machine.inventory()
  return {
    nodes: countBy(neighbours.views({ version, inventory })),
    jobs: countBy(jobs.heads),
    tasks: tasks.taken.length,
    blobs: { count: store.count, bytes: store.bytes },
    fetchedBytes: fetcher.fetched.bytes,
    heat: inventory.heat,
    load: inventory.load,
  }
}

const countBy = <State extends string>(things: readonly { readonly state: State }[]) =>
  Object.fromEntries(
    [...Map.groupBy(things, ({ state }) => state)].map(([state, all]) => [state, all.length]),
  ) as Partial<Record<State, number>>
