import { allVariables, gradientDescent } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { AsyncReplicas } from '../replicate/asyncReplicas.ts'
import { SyncReplicas } from '../replicate/syncReplicas.ts'
import { asWorker, buildModel, examples, until } from '../replicate/testModel.ts'
import { startCluster, type TestCluster } from '../server/testCluster.ts'
import { monitoredSession } from './monitoredSession.ts'
import { QuickClock } from './testing/quickClock.ts'
import { SaidLiveness } from './testing/saidLiveness.ts'

const jobs = { ps: ['ps:1', 'ps:2'], worker: ['w:0', 'w:1', 'w:2'] }
const worker = (task: number): TaskName => ({ job: 'worker', task })

/** A replica that never begins a step before all have done the last one. */
async function replicaOf(cluster: TestCluster, replica: number) {
  const { async, model } = asWorker(cluster, replica, () => {
    const model = buildModel()
    const options = { globalStep: model.globalStep, replica, totalReplicas: 3, maxStaleness: 0 }
    return { model, async: new AsyncReplicas(gradientDescent({ learningRate: 0.05 }), model.pairs, options) }
  })
  const log: string[] = []
  const knows = new SaidLiveness()
  const training = await monitoredSession({
    server: cluster.servers[2 + replica]!,
    variables: allVariables(async.train),
    globalStep: model.globalStep,
    async,
    liveness: knows,
    clock: new QuickClock(),
    random: () => 0.5,
    log: (line) => log.push(line),
  })
  const step = (number: number) => training.run({ step: async.train }, examples(number, 0, 4))
  const steps = async (): Promise<number> => (await training.session.run(model.globalStep)).number()
  return { training, knows, log, step, steps }
}

describe('asynchronous replicas in monitored sessions', () => {
  it('wait for the slow, not for the dead, and not when training is over', async () => {
    await using cluster = await startCluster(jobs)
    const first = await replicaOf(cluster, 0)
    const second = await replicaOf(cluster, 1)
    const third = await replicaOf(cluster, 2)
    await Promise.all([first, second, third].map(({ step }) => step(0)))
    expect([first, second, third].map(({ training }) => training.step)).toContain(3)
    const waiting = [first.step(1), second.step(1)]
    await until(async () => (await third.steps()) === 5)
    // The first one is chief: what the others know changes nothing.
    second.knows.say(worker(2), false)
    first.knows.say(worker(2), false)
    await Promise.all(waiting)
    expect(first.log.at(-1)).toBe(
      '/job:worker/task:0: 2 of 3 replicas are living: nobody waits for the others',
    )
    // Back again, it is where the slowest of the others is.
    first.knows.say(worker(2), true)
    await Promise.all([first, second, third].map(({ step }) => step(2)))
    const last = third.step(3)
    await until(async () => (await first.steps()) === 9)
    first.training.stop('the test has seen enough')
    await first.training.close()
    await last
    await Promise.all([second, third].map(({ training }) => training.close()))
  })

  it('are of one kind', async () => {
    await using cluster = await startCluster(jobs)
    const { globalStep, pairs } = asWorker(cluster, 0, buildModel)
    const both = asWorker(cluster, 0, () => {
      const options = { globalStep, replica: 0, totalReplicas: 3 }
      const optimizer = gradientDescent({ learningRate: 0.05 })
      return {
        sync: new SyncReplicas(optimizer, pairs, options),
        async: new AsyncReplicas(optimizer, pairs, options),
      }
    })
    const opening = monitoredSession({ server: cluster.servers[2]!, variables: [], globalStep, ...both })
    await expect(opening).rejects.toThrow('give one of them')
  })
})
