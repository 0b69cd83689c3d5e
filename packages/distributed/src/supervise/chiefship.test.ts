import { describe, expect, it } from 'vitest'
import { ClusterSpec } from '../cluster/clusterSpec.ts'
import type { TaskName } from '../cluster/deviceFilters.ts'
import { Chiefship } from './chiefship.ts'
import { type Lease, SupersededError } from './lease.ts'
import { chiefAmong, everyoneLives } from './liveness.ts'

const cluster = new ClusterSpec({ ps: ['ps:1'], worker: { 1: 'w:1', 4: 'w:4', 7: 'w:7' } })
const worker = (task: number): TaskName => ({ job: 'worker', task })
const without = (...dead: readonly number[]) => ({
  isAlive: ({ job, task }: TaskName) => job !== 'worker' || !dead.includes(task),
})

describe('the chief', () => {
  it('is the lowest living worker', () => {
    expect(chiefAmong(cluster, everyoneLives, worker(7))).toEqual(worker(1))
    expect(chiefAmong(cluster, without(1), worker(7))).toEqual(worker(4))
    expect(chiefAmong(cluster, without(1, 4), worker(7))).toEqual(worker(7))
  })

  it('is whoever asks, when he knows of nobody else: he lives', () => {
    expect(chiefAmong(cluster, without(1, 4, 7), worker(4))).toEqual(worker(4))
    expect(chiefAmong(cluster, without(1, 4, 7), { job: 'ps', task: 0 })).toBeUndefined()
  })

  it('is worker 0 of those that know only themselves', () => {
    const knowing = (task: number) => new ClusterSpec({ ps: ['ps:1'], worker: { [task]: 'w:1' } })
    expect(chiefAmong(knowing(0), everyoneLives, worker(0))).toEqual(worker(0))
    expect(chiefAmong(knowing(3), everyoneLives, worker(3))).toBeUndefined()
  })

  it('is the task of job chief or master for as long as that lives', () => {
    for (const job of ['chief', 'master']) {
      const spec = new ClusterSpec({ worker: ['w:0'], [job]: ['c:0'] })
      expect(chiefAmong(spec, everyoneLives, worker(0))).toEqual({ job, task: 0 })
      const gone = { isAlive: (task: TaskName) => task.job !== job }
      expect(chiefAmong(spec, gone, worker(0))).toEqual(worker(0))
    }
  })
})

describe('the office of chief', () => {
  /** A lease that all tasks of a test share. */
  function sharedLease(): Lease {
    let newest = { epoch: 0, holder: '' }
    return {
      claim: async (holder) => (newest = { epoch: newest.epoch + 1, holder }).epoch,
      newest: async () => newest,
    }
  }
  const office = (task: number, lease?: Lease, lines: string[] = []): Chiefship =>
    new Chiefship({
      cluster,
      own: worker(task),
      liveness: everyoneLives,
      lease,
      log: (line) => lines.push(line),
    })

  it('is held once, until somebody else takes it', async () => {
    const lines: string[] = []
    const lease = sharedLease()
    const [one, four] = [office(1, lease, lines), office(4, lease, lines)]
    await one.hold()
    await one.hold()
    await one.confirm()
    await four.hold()
    await expect(one.confirm()).rejects.toThrow(SupersededError)
    expect(lines).toEqual([
      '/job:worker/task:1 is chief, by lease 1',
      '/job:worker/task:4 is chief, by lease 2',
    ])
  })

  it('is taken once, however many ask for it at the same time', async () => {
    const lease = sharedLease()
    const one = office(1, lease)
    await Promise.all([one.hold(), one.hold()])
    expect(await lease.newest()).toEqual({ epoch: 1, holder: '/job:worker/task:1' })
    await one.confirm()
  })

  it('is not taken back in the call that finds it lost, but in the next', async () => {
    const lease = sharedLease()
    const [one, four] = [office(1, lease), office(4, lease)]
    await one.hold()
    await four.hold()
    await expect(one.hold()).rejects.toThrow(
      '/job:worker/task:1 had lease 1, the newest is 2, of /job:worker/task:4',
    )
    await four.confirm()
    await one.hold()
    await expect(four.confirm()).rejects.toThrow('the newest is 3')
  })

  it('needs no lease where there is none', async () => {
    const one = office(1)
    await one.hold()
    await one.confirm()
    expect([one.elected, one.chief, office(4).elected]).toEqual([true, '/job:worker/task:1', false])
  })

  it('was nobody’s who did not take it', async () => {
    await expect(
      office(1, { ...sharedLease(), newest: async () => ({ epoch: 3, holder: '' }) }).confirm(),
    ).rejects.toThrow('had lease none, the newest is 3, of nobody')
  })
})
