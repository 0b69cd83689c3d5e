import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeadlineError, systemClock } from '@shoal/distributed/peers'
import { expect, it } from 'vitest'
import { EventLog } from '../history/eventLog.ts'
import { Leader } from './leader.ts'
import type { Nodes } from './ports.ts'
import { jobSpecSchema } from './spec.ts'
import { Replica } from './replica.ts'

const id = 'j-000000000000'

it('calls off what a node did not begin in time, which may begin it yet', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-leader-'))
  const replica = await Replica.open(folder, id, (path) => EventLog.open(path, { log: () => {} }))
  const told: unknown[] = []
  const nodes = {
    self: { nodeId: 'a', role: 'manager' },
    present: () => [
      { nodeId: 'a', role: 'manager' },
      { nodeId: 'w', role: 'worker' },
    ],
    call: async (node: string, { name }: { readonly name: string }, request: object) => {
      if (name === 'tasks.list') return { says: { tasks: [] } }
      told.push({ node, name, ...request })
      if (name === 'tasks.start') throw new DeadlineError('its program is fetched still')
      return { says: {} }
    },
    changed: () => {},
  } as unknown as Nodes
  const spec = jobSpecSchema.parse({
    name: 'search',
    kind: 'search',
    program: 'ab'.repeat(32),
    tasks: { worker: { count: 1 } },
    scheduling: 'elastic',
  })
  const leader = new Leader(
    {
      replica,
      nodes,
      place: async (_record, avoided) =>
        avoided.has('w')
          ? { kind: 'wait', reason: 'nobody is there', yields: [] }
          : { kind: 'placed', tasks: [{ task: 'worker:0', node: 'w' }], why: [] },
      keeperAdded: () => {},
      log: () => {},
      clock: systemClock,
      today: () => 0,
      ended: () => {},
    },
    {
      id,
      spec,
      submittedBy: 'a',
      submittedAt: 0,
      state: 'queued',
      reason: '',
      term: 1,
      leader: 'a',
      keepers: ['a'],
      attempt: 0,
      failures: 0,
      tasks: [],
    },
  )
  try {
    await leader.lead()
    await expect
      .poll(() => told)
      .toMatchObject([
        { node: 'w', name: 'tasks.start', task: 'worker:0', attempt: 0 },
        { node: 'w', name: 'tasks.stop', task: 'worker:0', attempt: 0 },
      ])
  } finally {
    leader.close()
    await replica[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  }
})
