import { fifoQueue, reference, constant, add } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { ClusterSpec } from '../cluster/clusterSpec.ts'
import { graphToBytes } from '../protocol/graphBytes.ts'
import { Container } from './container.ts'
import { WorkerSession } from './workerSession.ts'

const own = { job: 'worker', task: 0 }
const nobody = () => () => Promise.reject(new Error('nothing comes from elsewhere'))
const { signal } = new AbortController()

async function sessionOf(
  graphs: readonly Parameters<typeof graphToBytes>[0]['graph'][],
): Promise<WorkerSession> {
  const cluster = new ClusterSpec({ worker: ['w:0'] })
  const container = new Container([reference()], own)
  const session = new WorkerSession(container, cluster, { own, log: () => {}, clock: undefined })
  for (const [id, graph] of graphs.entries()) {
    const def = graphToBytes({ graph, feeds: [] })
    const fetches = [...graph.fetches.keys()]
    await session.register(id, [{ device: 0, feeds: [], fetches, def }], fetches.length, { fusion: true })
  }
  return session
}
const request = (graph: number, step: number) => ({ graph, step, seed: 0, trace: false, feeds: [] })

describe('a request that is repeated', () => {
  it('is refused for as long as its step runs, whatever else has run meanwhile, and for long after', async () => {
    const queue = fifoQueue({ types: [{ dtype: 'float32', shape: [] }], capacity: 1, name: 'q' })
    const session = await sessionOf([
      { fetches: queue.dequeue(), targets: [] },
      { fetches: [add(constant(1), 1)], targets: [] },
      { fetches: [], targets: [queue.enqueue([constant(7)])] },
    ])
    const waiting = session.run(request(0, 0), nobody, signal)
    for (let step = 1; step <= 1100; step++) await session.run(request(1, step), nobody, signal)
    await expect(session.run(request(0, 0), nobody, signal)).rejects.toThrow('step 0 was begun before')
    await expect(session.run(request(1, 500), nobody, signal)).rejects.toThrow('step 500 was begun before')
    await session.run(request(2, 1101), nobody, signal)
    expect((await waiting).fetches.map((value) => value.number())).toEqual([7])
    await session.close(new Error('over'))
  })
})
