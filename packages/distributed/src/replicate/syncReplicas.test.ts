// Synchronous replicas on a cluster: the weights of one machine, whoever is late, dies or comes back.
import type { NDArray } from '@shoal/core'
import { ndarray, RunError, Session, ValueError, variable } from '@shoal/core'
import type { Optimizer } from '@shoal/train'
import { adam, exponentialDecay, momentum } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import { startCluster } from '../server/testCluster.ts'
import type { TestCluster } from '../server/testCluster.ts'
import { SyncReplicas } from './syncReplicas.ts'
import type { SyncReplicasOptions } from './syncReplicas.ts'
import { asWorker, buildModel, examples, relativeError, sessionOf } from './testModel.ts'

const jobs = (workers: number) => ({
  ps: ['ps:1', 'ps:2'],
  worker: Array.from({ length: workers }, (_, i) => `w:${i}`),
})
type Make = () => Optimizer
const steep: Make = () =>
  momentum({ learningRate: exponentialDecay({ initial: 0.1, steps: 20, factor: 0.5 }) })

/** A worker with its graph and its session. */
async function join(
  cluster: TestCluster,
  replica: number,
  options: Omit<SyncReplicasOptions, 'globalStep' | 'replica'>,
  make: Make = steep,
) {
  const built = asWorker(cluster, replica, () => {
    const model = buildModel()
    const sync = new SyncReplicas(make(), model.pairs, { ...options, globalStep: model.globalStep, replica })
    return { ...model, sync }
  })
  const session = await sessionOf(cluster, replica)
  const initialize = () => session.initialize(built.sync.train)
  const step = (number: number, from: number, to: number, signal?: AbortSignal) =>
    session.run(built.sync.train, examples(number, from, to), signal ? { signal } : {})
  const standing = async () =>
    (await session.run(built.sync.status())).map((one) =>
      Object.fromEntries(Object.entries(one).map(([key, value]) => [key, value.item()])),
    )
  return { ...built, session, initialize, step, standing }
}
type Worker = Awaited<ReturnType<typeof join>>

/** The weights of one machine after some steps with the whole batch. */
async function alone(make: Make, steps: number, rows = 16): Promise<NDArray[]> {
  await using session = new Session()
  const { weights, pairs, globalStep } = buildModel()
  const train = make().apply(pairs, { globalStep })
  await session.initialize(train)
  for (let i = 0; i < steps; i++) await session.run(train, examples(i, 0, rows))
  return await session.run(weights)
}

/** All workers of a cluster, initialised by the first. */
async function joinAll(
  cluster: TestCluster,
  count: number,
  options: Parameters<typeof join>[2],
  make?: Make,
) {
  const workers: Worker[] = []
  for (let i = 0; i < count; i++) {
    workers.push(await join(cluster, i, options, make))
    await workers[i]!.initialize()
  }
  return workers
}

describe('synchronous replicas', () => {
  const shares = [
    [0, 16],
    [0, 8, 16],
    [0, 4, 8, 12, 16],
    [0, 3, 16],
    [0, 1, 6, 6, 16],
  ]
  for (const bounds of shares)
    for (const [name, make] of [
      ['momentum', steep],
      ['adam', () => adam({ learningRate: 0.05 })],
    ] as const)
      it(`train by ${name} as one machine does with the batch cut at ${bounds.join(', ')}`, async () => {
        const count = bounds.length - 1
        await using cluster = await startCluster(jobs(count))
        const workers: Worker[] = []
        for (let i = 0; i < count; i++) {
          const share = bounds[i + 1]! - bounds[i]!
          workers.push(await join(cluster, i, { totalReplicas: count, examples: share }, make))
          await workers[i]!.initialize()
        }
        const each = async (worker: Worker, i: number): Promise<void> => {
          for (let step = 0; step < 50; step++) await worker.step(step, bounds[i]!, bounds[i + 1]!)
        }
        await Promise.all(workers.map(each))
        const [first] = workers
        const weights = await first!.session.run(first!.weights)
        expect(relativeError(weights, await alone(make, 50))).toBeLessThan(1e-5)
        expect((await first!.session.run(first!.globalStep)).item()).toBe(50)
        for (const one of await first!.standing()) expect(one).toMatchObject({ step: 50, dropped: 0 })
        await Promise.all(workers.map(({ session }) => session.close()))
      })
})
