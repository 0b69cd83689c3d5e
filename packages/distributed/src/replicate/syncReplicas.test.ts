// Synchronous replicas on a cluster: the weights of one machine, whoever is late, dies or comes back.
import type { NDArray } from '@shoal/core'
import {
  accumulator,
  controlDependencies,
  fifoQueue,
  group,
  Session,
  ValueError,
  variable,
} from '@shoal/core'
import type { Optimizer } from '@shoal/train'
import { adam, allVariables, exponentialDecay, momentum } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import { UnavailableError } from '../errors.ts'
import type { Server } from '../server/server.ts'
import { startCluster } from '../server/testCluster.ts'
import type { TestCluster } from '../server/testCluster.ts'
import { gradientType, shardsOf } from './shards.ts'
import { SyncReplicas } from './syncReplicas.ts'
import type { SyncReplicasOptions } from './syncReplicas.ts'
import { asWorker, buildModel, examples, relativeError, sessionOf, until } from './testModel.ts'

const jobs = (workers: number) => ({
  ps: ['ps:1', 'ps:2'],
  worker: Array.from({ length: workers }, (_, i) => `w:${i}`),
})
type Make = () => Optimizer
const steep: Make = () =>
  momentum({ learningRate: exponentialDecay({ initial: 0.1, steps: 20, factor: 0.5 }) })

type Own = Omit<SyncReplicasOptions, 'globalStep' | 'replica'>

/** A worker with its graph and its session. */
async function join(
  cluster: TestCluster,
  replica: number,
  options: Own,
  make: Make = steep,
  server?: Server,
) {
  const built = asWorker(cluster, replica, () => {
    const model = buildModel()
    const sync = new SyncReplicas(make(), model.pairs, { ...options, globalStep: model.globalStep, replica })
    return { ...model, sync }
  })
  const session = await sessionOf(cluster, replica, server)
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

/** All workers of a cluster; the first initialises what they share. */
async function joinAll(cluster: TestCluster, count: number, options: (replica: number) => Own, make?: Make) {
  const workers: Worker[] = []
  for (let i = 0; i < count; i++) {
    const worker = await join(cluster, i, options(i), make)
    await worker.initialize()
    if (i === 0) await worker.session.run(worker.sync.start)
    workers.push(worker)
  }
  return workers
}

describe('synchronous replicas', () => {
  const gentle: Make = () => adam({ learningRate: 0.05 })
  const arrangements = [
    { bounds: [0, 16], name: 'momentum', make: steep },
    { bounds: [0, 8, 16], name: 'momentum', make: steep },
    { bounds: [0, 4, 8, 12, 16], name: 'momentum', make: steep },
    { bounds: [0, 3, 16], name: 'adam', make: gentle },
    { bounds: [0, 1, 6, 6, 16], name: 'adam', make: gentle },
  ]
  for (const { bounds, name, make } of arrangements)
    it(`train by ${name} as one machine does with the batch cut at ${bounds.join(', ')}`, async () => {
      const count = bounds.length - 1
      await using cluster = await startCluster(jobs(count))
      const share = (i: number): number => bounds[i + 1]! - bounds[i]!
      const options = (i: number) => ({ totalReplicas: count, examples: share(i) })
      const workers = await joinAll(cluster, count, options, make)
      const each = async (worker: Worker, i: number): Promise<void> => {
        for (let step = 0; step < 50; step++) await worker.step(step, bounds[i]!, bounds[i + 1]!)
      }
      await Promise.all(workers.map(each))
      const [first] = workers as [Worker]
      const weights = await first.session.run(first.weights)
      expect(relativeError(weights, await alone(make, 50))).toBeLessThan(1e-5)
      expect((await first.session.run(first.globalStep)).item()).toBe(50)
      for (const one of await first.standing()) expect(one).toMatchObject({ step: 50, dropped: 0 })
    })

  it('go on without a backup, whose late gradient is dropped', async () => {
    await using cluster = await startCluster(jobs(3))
    const options = { totalReplicas: 3, replicasToAggregate: 2 }
    const workers = await joinAll(cluster, 3, () => options)
    for (let step = 0; step < 2; step++)
      await Promise.all([workers[0]!.step(step, 0, 8), workers[1]!.step(step, 8, 16)])
    await workers[2]!.step(0, 0, 16)
    const weights = await workers[2]!.session.run(workers[2]!.weights)
    expect(relativeError(weights, await alone(steep, 2))).toBeLessThan(1e-5)
    for (const one of await workers[2]!.standing())
      expect(one).toEqual({ step: 2, gathered: 0, count: 2, dropped: 1 })
    // From there on it takes part.
    await Promise.all([workers[2]!.step(2, 0, 8), workers[1]!.step(2, 8, 16)])
    const after = await workers[0]!.session.run(workers[0]!.weights)
    expect(relativeError(after, await alone(steep, 3))).toBeLessThan(1e-5)
  })

  it('refuse more gradients than there are replicas, and variables that are not shared', async () => {
    await using cluster = await startCluster(jobs(1))
    await expect(join(cluster, 0, { totalReplicas: 1, replicasToAggregate: 2 })).rejects.toThrow(ValueError)
    await expect(join(cluster, 1, { totalReplicas: 1 })).rejects.toThrow('replica 1 must be below')
    const loose = variable(0, { name: 'global_step', dtype: 'int32' })
    const { pairs } = asWorker(cluster, 0, buildModel)
    const options = { globalStep: loose, replica: 0, totalReplicas: 1 }
    expect(() => new SyncReplicas(steep(), pairs, options)).toThrow(
      "'global_step' is on no device in particular",
    )
  })
})

describe('synchronous replicas of which one dies', () => {
  it('go on with those that are left, also without the first of them', async () => {
    await using cluster = await startCluster(jobs(3))
    const workers = await joinAll(cluster, 3, () => ({ totalReplicas: 3 }))
    const [chief, second, third] = workers as [Worker, Worker, Worker]
    await Promise.all(workers.map((worker, i) => worker.step(0, 5 * i, 5 * i + 5)))
    const waiting = [second.step(1, 0, 8), third.step(1, 8, 16)]
    await until(async () => (await third.standing()).every(({ gathered }) => gathered === 2))
    await cluster.servers[2]!.close()
    await third.session.run(third.sync.setLiving(2))
    await Promise.all(waiting)
    await Promise.all([second.step(2, 0, 8), third.step(2, 8, 16)])
    expect((await third.session.run(third.globalStep)).item()).toBe(3)
    await expect(chief.session.run(chief.globalStep)).rejects.toThrow('closed')
  })

  it('make a step once, whoever had begun to', async () => {
    await using cluster = await startCluster(jobs(2))
    const workers = await joinAll(cluster, 2, () => ({ totalReplicas: 2 }))
    const [first, second] = workers as [Worker, Worker]
    const thief = await sessionOf(cluster, 0)
    const { enough, tooMany, held, signs } = asWorker(cluster, 0, () => {
      const { pairs, globalStep } = buildModel()
      const types = [{ dtype: 'float32', shape: [] }] as const
      const queues = ['taken', 'never'].map((name) => fifoQueue({ name, types, capacity: 1 }))
      const shards = shardsOf('test', steep(), pairs, globalStep).map(({ at, pairs: own }, i) => ({
        at,
        gradients: accumulator({
          name: `sync/gradients/${i}`,
          types: own.map(([g, { resource }]) => gradientType(g, resource.type)),
          count: 2,
          held: true,
        }),
      }))
      const setCount = (count: number) => group(...shards.map((s) => s.at(() => s.gradients.setCount(count))))
      const leases = shards.map((s) => s.at(() => s.gradients.lease(0).taken))
      return shards[0]!.at(() => {
        const sign = controlDependencies(leases, () => queues[0]!.enqueue([1]))
        const held = controlDependencies([sign], () => queues[1]!.dequeue()[0]!)
        return { enough: setCount(2), tooMany: setCount(3), held, signs: queues[0]!.dequeue()[0]! }
      })
    })
    // Gradients are there, and nobody waits for them.
    await thief.run(tooMany)
    const giving = new AbortController()
    const given = [first.step(0, 0, 8, giving.signal), second.step(0, 8, 16, giving.signal)]
    await until(async () => (await second.standing()).every(({ gathered }) => gathered === 2))
    giving.abort(new Error('given'))
    for (const one of given) await expect(one).rejects.toThrow('given')
    // Somebody gets them, on all servers, and is held up before using them.
    await thief.run(enough)
    const holding = new AbortController()
    const theft = thief.run(held, {}, { signal: holding.signal })
    await second.session.run(signs)
    const waiting = [first.step(0, 0, 8), second.step(0, 8, 16)]
    await until(async () => (await second.standing()).every(({ dropped }) => dropped === 2))
    expect((await second.session.run(second.globalStep)).item()).toBe(0)
    holding.abort(new Error('held up for good'))
    await expect(theft).rejects.toThrow('held up for good')
    await Promise.all(waiting)
    const weights = await second.session.run(second.weights)
    expect(relativeError(weights, await alone(steep, 1))).toBeLessThan(1e-5)
  })

  it('take it back when it was started anew, at the step that they are at', async () => {
    await using cluster = await startCluster(jobs(2))
    const workers = await joinAll(cluster, 2, () => ({ totalReplicas: 2 }))
    const [first, second] = workers as [Worker, Worker]
    const both = (step: number, other: Worker) =>
      Promise.all([first.step(step, 0, 8), other.step(step, 8, 16)])
    await both(0, second)
    await cluster.servers[3]!.close()
    const anew = await cluster.start('worker', 1)
    const again = await join(cluster, 1, { totalReplicas: 2 }, steep, anew)
    await again.initialize()
    await both(1, again)
    const weights = await first.session.run(first.weights)
    expect(relativeError(weights, await alone(steep, 2))).toBeLessThan(1e-5)
  })

  it('count a step that is tried again once', async () => {
    await using cluster = await startCluster(jobs(2))
    const workers = await joinAll(cluster, 2, () => ({ totalReplicas: 2 }))
    const [first, second] = workers as [Worker, Worker]
    const abort = new AbortController()
    const tried = first.step(0, 0, 8, abort.signal)
    await until(async () => (await second.standing()).every(({ gathered }) => gathered === 1))
    abort.abort(new Error('too slow'))
    await expect(tried).rejects.toThrow('too slow')
    await Promise.all([first.step(0, 0, 8), second.step(0, 8, 16)])
    const weights = await first.session.run(first.weights)
    expect(relativeError(weights, await alone(steep, 1))).toBeLessThan(1e-5)
  })
})

describe('synchronous replicas whose variables are restored', () => {
  it('wait meanwhile, and go on from there', async () => {
    await using cluster = await startCluster(jobs(2))
    const workers = await joinAll(cluster, 2, () => ({ totalReplicas: 2 }))
    const [first, second] = workers as [Worker, Worker]
    const both = (step: number) => [first.step(step, 0, 8), second.step(step, 8, 16)]
    await Promise.all(both(0))
    const saved = allVariables(first.sync.train).filter(({ name }) => name !== 'sync/local_step')
    const kept = await first.session.run(saved)
    for (let step = 1; step < 4; step++) await Promise.all(both(step))
    await first.session.run(first.sync.hold)
    const held = second.step(9, 0, 16)
    await until(async () => (await first.standing()).every(({ dropped }) => dropped === 1))
    for (const [i, one] of saved.entries()) await first.session.write(one, kept[i]!)
    await first.session.run(first.sync.start)
    await held
    for (let step = 1; step < 4; step++) await Promise.all(both(step))
    const weights = await first.session.run(first.weights)
    expect(relativeError(weights, await alone(steep, 4))).toBeLessThan(1e-5)
  })

  it('are started by one of them, also where a server lost what it had', async () => {
    await using cluster = await startCluster(jobs(2))
    const workers = await joinAll(cluster, 2, () => ({ totalReplicas: 2 }))
    const both = (step: number, [first, second]: readonly Worker[]) =>
      Promise.all([first!.step(step, 0, 8), second!.step(step, 8, 16)])
    await both(0, workers)
    const saved = allVariables(workers[0]!.sync.train).filter(({ name }) => name !== 'sync/local_step')
    const kept = await workers[0]!.session.run(saved)
    await both(1, workers)
    await cluster.servers[1]!.close()
    await expect(both(2, workers)).rejects.toThrow(UnavailableError)
    await Promise.all(workers.map(({ session }) => session.close()))
    await cluster.start('ps', 1)
    const options = { totalReplicas: 2 }
    const again = [await join(cluster, 0, options), await join(cluster, 1, options)] as const
    await again[0].session.run(again[0].sync.hold)
    for (const [i, one] of saved.entries()) await again[0].session.write(one, kept[i]!)
    const early = again[1].step(1, 8, 16)
    await until(async () => (await again[0].standing()).every(({ dropped }) => dropped === 1))
    await again[0].session.run(again[0].sync.start)
    await early
    for (let step = 1; step < 4; step++) await both(step, again)
    const weights = await again[0].session.run(again[0].weights)
    expect(relativeError(weights, await alone(steep, 4))).toBeLessThan(1e-5)
  })
})
