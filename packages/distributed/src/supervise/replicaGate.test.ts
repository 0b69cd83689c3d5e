import { allVariables, momentum } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { SyncReplicas } from '../replicate/syncReplicas.ts'
import { asWorker, buildModel, examples, until } from '../replicate/testModel.ts'
import { startCluster, type TestCluster } from '../server/testCluster.ts'
import { Chiefship } from './chiefship.ts'
import { type MonitoredSession, monitoredSession } from './monitoredSession.ts'
import { ReplicaGate } from './replicaGate.ts'
import { QuickClock } from './testing/quickClock.ts'
import { SaidLiveness } from './testing/saidLiveness.ts'

const jobs = { ps: ['ps:1', 'ps:2'], worker: ['w:0', 'w:1', 'w:2'] }
const worker = (task: number): TaskName => ({ job: 'worker', task })

interface Replica {
  readonly knows: SaidLiveness
  readonly training: MonitoredSession
  readonly log: string[]
  step(number: number): Promise<boolean>
  standing(): Promise<number[][]>
}

/** All replicas of a cluster, each of which needs the gradients of all. */
async function replicas(cluster: TestCluster, minReplicas = 1): Promise<Replica[]> {
  const open = async (replica: number): Promise<Replica> => {
    const { sync, globalStep, loss } = asWorker(cluster, replica, () => {
      const model = buildModel()
      const options = { globalStep: model.globalStep, replica, totalReplicas: 3, minReplicas }
      return { ...model, sync: new SyncReplicas(momentum({ learningRate: 0.05 }), model.pairs, options) }
    })
    const log: string[] = []
    const knows = new SaidLiveness()
    const training = await monitoredSession({
      server: cluster.servers[2 + replica]!,
      variables: allVariables(sync.train),
      globalStep,
      sync,
      liveness: knows,
      clock: new QuickClock(),
      random: () => 0.5,
      log: (line) => log.push(line),
    })
    const status = sync.status()
    return {
      training,
      knows,
      log,
      step: async (number) =>
        (await training.run({ loss, step: sync.train }, examples(number, 0, 4))) !== undefined,
      standing: async () =>
        (await training.session.run(status)).map(({ step, gathered, count }) =>
          [step, gathered, count].map((value) => Number(value.item())),
        ),
    }
  }
  const all: Replica[] = []
  for (let i = 0; i < 3; i++) all.push(await open(i))
  return all
}

const everyServer = async ({ standing }: Replica, holds: (standing: number[]) => boolean): Promise<void> =>
  until(async () => (await standing()).every(holds))

describe('synchronous replicas in monitored sessions', () => {
  it('wait for the living alone, whoever is chief, and for all again when they are back', async () => {
    await using cluster = await startCluster(jobs)
    const [first, second, third] = (await replicas(cluster)) as [Replica, Replica, Replica]
    await Promise.all([first.step(0), second.step(0), third.step(0)])
    const waiting = [second.step(1), third.step(1)]
    await everyServer(second, ([, gathered]) => gathered === 2)
    // The first one dies: the second is chief now, and sees to it that nobody waits for the dead.
    second.knows.say(worker(0), false)
    third.knows.say(worker(0), false)
    expect(await Promise.all(waiting)).toEqual([true, true])
    expect(second.training.isChief).toBe(true)
    expect(second.log.at(-1)).toBe('/job:worker/task:1: 2 of 3 replicas are living: a step takes 2 gradients')
    second.knows.say(worker(0), true)
    third.knows.say(worker(0), true)
    // Whoever is chief looks when something changes.
    first.knows.say(worker(2), true)
    await everyServer(first, ([, , count]) => count === 3)
    // Its own gradient for the step that it missed does not count.
    await first.step(1)
    await Promise.all([first.step(2), second.step(2), third.step(2)])
    expect(third.training.step).toBe(3)
    third.training.stop('the test has seen enough')
    await Promise.all([first, second, third].map(({ training }) => training.close()))
  })

  it('wait where fewer are living than a step needs', async () => {
    await using cluster = await startCluster(jobs)
    const [first, second, third] = (await replicas(cluster, 2)) as [Replica, Replica, Replica]
    first.knows.say(worker(1), false)
    first.knows.say(worker(2), false)
    await everyServer(first, ([, , count]) => count === 2)
    const waiting = first.step(0)
    await everyServer(first, ([, gathered]) => gathered === 1)
    await second.step(0)
    expect(await waiting).toBe(true)
    first.training.stop('the test has seen enough')
    await Promise.all([first, second, third].map(({ training }) => training.close()))
  })

  it('are held up while what a server lost is restored, and go on from there', async () => {
    await using cluster = await startCluster(jobs)
    const all = await replicas(cluster)
    const together = (number: number): Promise<boolean[]> => Promise.all(all.map(({ step }) => step(number)))
    await together(0)
    await together(1)
    await cluster.servers[1]!.close()
    await cluster.start('ps', 1)
    expect(await together(2)).toEqual([false, false, false])
    expect(await together(2)).toEqual([true, true, true])
    // Without checkpoints what a server lost begins anew, and the steps of all servers are those of the counter.
    const [first] = all as [Replica]
    const standing = await first.standing()
    expect(new Set(standing.map(([step]) => step))).toEqual(new Set([first.training.step]))
    first.training.stop('the test has seen enough')
    await Promise.all(all.map(({ training }) => training.close()))
  })
})

describe('the gate of the chief', () => {
  it('misses also who dies while it tells the servers of another', async () => {
    await using cluster = await startCluster(jobs)
    const { sync } = asWorker(cluster, 0, () => {
      const model = buildModel()
      const options = { globalStep: model.globalStep, replica: 0, totalReplicas: 3 }
      return { sync: new SyncReplicas(momentum({ learningRate: 0.05 }), model.pairs, options) }
    })
    const knows = new SaidLiveness()
    const log: string[] = []
    const named = { cluster: cluster.spec, own: worker(0), liveness: knows, log: () => {} }
    const gate = new ReplicaGate({
      ...named,
      sync,
      chiefship: new Chiefship(named),
      // Said when the servers have been told of one.
      log(line) {
        log.push(line)
        if (log.length === 1) knows.say(worker(2), false)
      },
    })
    await using session = await cluster.servers[2]!.session()
    await session.initialize(sync.train)
    knows.say(worker(1), false)
    await gate.enter(session)
    expect(log.map((line) => line.replace(/.* a step/, 'a step'))).toEqual([
      'a step takes 2 gradients',
      'a step takes 1 gradients',
    ])
    const standing = await session.run([...sync.status()])
    expect(standing.map(({ count }) => count.number())).toEqual([1, 1])
  })
})
