// Asynchronous replicas on a cluster: no step is lost, and none is too far ahead where that is asked for.
import type { Queue } from '@shoal/core'
import { add, controlDependencies, device, fifoQueue, mul, variable } from '@shoal/core'
import { adam, allVariables, gradientDescent } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import { startCluster } from '../server/testCluster.ts'
import type { TestCluster } from '../server/testCluster.ts'
import { AsyncReplicas } from './asyncReplicas.ts'
import { asWorker, buildModel, examples, sessionOf, until } from './testModel.ts'

const jobs = { ps: ['ps:1', 'ps:2'], worker: ['w:0', 'w:1', 'w:2'] }

async function join(cluster: TestCluster, replica: number, maxStaleness?: number) {
  const built = asWorker(cluster, replica, () => {
    const model = buildModel()
    const options = { globalStep: model.globalStep, replica, totalReplicas: 3 }
    const replicas = new AsyncReplicas(
      adam({ learningRate: 0.05 }),
      model.pairs,
      maxStaleness === undefined ? options : { ...options, maxStaleness },
    )
    return { ...model, replicas }
  })
  const session = await sessionOf(cluster, replica)
  await session.initialize(built.replicas.train)
  const step = (number: number, signal?: AbortSignal) =>
    session.run(built.replicas.train, examples(number, 0, 16), signal ? { signal } : {})
  return { ...built, session, step }
}

describe('asynchronous replicas', () => {
  it('make all of their steps, each in one piece', async () => {
    await using cluster = await startCluster(jobs)
    const workers = [await join(cluster, 0), await join(cluster, 1), await join(cluster, 2)]
    const [{ session, loss, replicas }] = workers as [(typeof workers)[0]]
    const before = (await session.run(loss, examples(0, 0, 16))).number()
    const each = async ({ step }: (typeof workers)[0]): Promise<void> => {
      for (let i = 0; i < 20; i++) await step(i)
    }
    await Promise.all(workers.map(each))
    const counters = allVariables(replicas.train).filter(({ name }) => /step/.test(name))
    expect(counters.map(({ name }) => name).toSorted()).toEqual(['adam/step', 'adam/step/1', 'global_step'])
    expect((await session.run(counters)).map((x) => x.item())).toEqual([60, 60, 60])
    expect((await session.run(loss, examples(0, 0, 16))).number()).toBeLessThan(0.8 * before)
  })

  it('lose no step that was made while they computed their own', async () => {
    await using cluster = await startCluster(jobs)
    // Each step takes 1 off; having read the variable, a replica says so, and computes until it is told to go on.
    const types = [{ dtype: 'float32', shape: [1] }] as const
    const build = (replica: number) =>
      asWorker(cluster, replica, () => {
        const globalStep = variable(0, { name: 'global_step', dtype: 'int32', trainable: false })
        const w = variable([100], { name: 'w' })
        const [read, go] = ['read', 'go'].map((name) => fifoQueue({ name, types, capacity: 1 })) as [
          Queue,
          Queue,
        ]
        return device(`/job:worker/task:${replica}`, () => {
          const zero = mul(w, 0)
          const [one] = controlDependencies([read.enqueue([zero])], () => go.dequeue())
          const options = { globalStep, replica, totalReplicas: 2 }
          const pairs = [[add(one!, zero), w]] as const
          const { train } = new AsyncReplicas(gradientDescent({ learningRate: 1 }), pairs, options)
          return { w, train, hasRead: read.dequeue(), goOn: go.enqueue([[1]]) }
        })
      })
    const [slow, fast] = [build(0), build(1)]
    const [first, second] = [await sessionOf(cluster, 0), await sessionOf(cluster, 1)]
    await first.initialize([slow.train, slow.w])
    const waiting = first.run(slow.train)
    await first.run(slow.hasRead)
    for (let i = 0; i < 5; i++)
      await Promise.all([second.run(fast.train), second.run(fast.hasRead), second.run(fast.goOn)])
    expect((await second.run(fast.w)).toArray()).toEqual([95])
    await first.run(slow.goOn)
    await waiting
    expect((await second.run(fast.w)).toArray()).toEqual([94])
  })

  it('wait for the slowest that is living, no longer', async () => {
    await using cluster = await startCluster(jobs)
    const workers = [await join(cluster, 0, 1), await join(cluster, 1, 1), await join(cluster, 2, 1)]
    const [first, second] = workers as [(typeof workers)[0], (typeof workers)[0]]
    await first.step(0)
    let done = false
    const ahead = first.step(1).then(() => (done = true))
    await second.session.run(second.replicas.setLiving([0, 1]))
    expect(done).toBe(false)
    await second.step(0)
    await ahead
    const abort = new AbortController()
    const withdrawn = first.step(2, abort.signal)
    await until(async () => (await second.session.run(second.globalStep)).item() === 4)
    abort.abort(new Error('enough'))
    await expect(withdrawn).rejects.toThrow('enough')
    await second.step(1)
    // The third one is there again, as far as the slowest of the others.
    await first.session.run(first.replicas.setLiving([0, 1, 2]))
    await workers[2]!.step(0)
    expect(() =>
      asWorker(cluster, 0, () => {
        const { pairs, globalStep } = buildModel()
        return new AsyncReplicas(adam({ learningRate: 1 }), pairs, {
          globalStep,
          replica: 3,
          totalReplicas: 3,
        })
      }),
    ).toThrow('replica 3 must be below totalReplicas 3')
  })
})
