// A table in parts on several parameter servers, as a worker trains it.
import type { Session, TraceEvent } from '@shoal/core'
import {
  device,
  embeddingLookup,
  mean,
  partitionedVariable,
  placeholder,
  Session as LocalSession,
  square,
  sub,
  sum,
} from '@shoal/core'
import { adam, allVariables } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import { startCluster } from '../server/testCluster.ts'
import { replicaDeviceSetter } from './replicaDeviceSetter.ts'

const cluster = { ps: ['ps:1', 'ps:2'], worker: ['w:1'] }
const rows = Array.from({ length: 64 }, (_, i) => Array.from({ length: 16 }, (_, j) => Math.sin(i + 3 * j)))

function model() {
  const table = partitionedVariable(rows, { name: 'table', parts: 4, strategy: 'mod' })
  const ids = placeholder({ shape: ['n'], dtype: 'int32', name: 'ids' })
  const loss = mean(square(sub(sum(embeddingLookup(table, ids), { axes: [1] }), 1)))
  const step = adam({ learningRate: 0.01 }).minimize(loss)
  return { table, loss, step }
}

async function trained(session: Session, { table, step }: ReturnType<typeof model>) {
  await session.initialize(step)
  for (let k = 0; k < 5; k++) await session.run(step, { ids: [k, 7, 2 * k, 63, 7] })
  return session.run(table.read())
}

describe('a partitioned variable under replicaDeviceSetter', () => {
  it('is spread over the servers with its slots, and trained there as on one machine', async () => {
    await using servers = await startCluster(cluster)
    const placed = device(replicaDeviceSetter({ cluster, strategy: 'byBytes' }), model)
    const homes = (name: RegExp): string[] =>
      allVariables(placed.step)
        .filter((v) => name.test(v.name))
        .map(({ resource }) => resource.initial!.node.device)
    expect(placed.table.parts.map(({ resource }) => resource.initial!.node.device)).toEqual(
      [0, 1, 0, 1].map((task) => `/job:ps/task:${task}`),
    )
    expect(homes(/means$/).sort()).toEqual([0, 0, 1, 1].map((task) => `/job:ps/task:${task}`))

    await using session = await servers.servers[2]!.session()
    await using alone = new LocalSession()
    const [found, expected] = [await trained(session, placed), await trained(alone, model())]
    expect(found.toArray()).toEqual(expected.toArray())
    expect(found.toArray()).not.toEqual(rows)

    // What crosses are ids, rows and their gradients: nothing as large as a part.
    let events: readonly TraceEvent[] = []
    const feeds = { ids: [1, 2, 3] }
    await session.run([placed.loss, placed.step], feeds, { onTrace: (seen) => (events = seen) })
    const received = events.filter(({ op }) => op === 'Recv').map(({ bytes }) => bytes)
    expect(received.length).toBeGreaterThan(0)
    expect(Math.max(...received)).toBe(3 * 16 * 4)
    const picked = events.filter(({ op }) => op.includes('Gather') && !op.includes('Scatter'))
    expect(new Set(picked.map((event) => event.device.slice(0, 14)))).toContain('/job:ps/task:1')
  })
})
