import type { Session, Variable } from '@shoal/core'
import { constant, device, fill, ndarray, variable } from '@shoal/core'
import { Checkpoints } from '@shoal/train/node'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DeadlineError, UnavailableError } from '../errors.ts'
import { startCluster, type TestCluster } from '../server/testCluster.ts'
import { Chiefship } from './chiefship.ts'
import { everyoneLives } from './liveness.ts'
import { SessionManager, type SessionManagerOptions } from './sessionManager.ts'
import { QuickClock } from './testing/quickClock.ts'

const jobs = { ps: ['ps:1', 'ps:2'], worker: ['w:1', 'w:2'] }

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manager-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** One variable on each parameter server. */
const twoVariables = (): [Variable, Variable] => [
  device('/job:ps/task:0', () => variable([1, 1], { name: 'a' })),
  device('/job:ps/task:1', () => variable([2, 2], { name: 'b' })),
]

interface Made {
  readonly manager: SessionManager
  readonly variables: readonly Variable[]
  readonly clock: QuickClock
  readonly log: string[]
}

function managerOf(cluster: TestCluster, task: number, options: Partial<SessionManagerOptions> = {}): Made {
  const log: string[] = []
  const clock = new QuickClock()
  const saved = twoVariables()
  const line = (text: string): void => void log.push(text)
  const own = { job: 'worker', task }
  const manager = new SessionManager({
    open: () => cluster.servers[2 + task]!.session({ startDeadlineMs: 1, deviceFilters: ['/job:ps'] }),
    name: `/job:worker/task:${task}`,
    chiefship: new Chiefship({ cluster: cluster.spec, own, liveness: everyoneLives, log: line }),
    saved,
    others: [],
    readyDeadlineMs: 10_000,
    clock,
    random: () => 0.5,
    log: line,
    ...options,
  })
  return { manager, variables: options.saved ?? saved, clock, log }
}

const valuesIn = async (session: Session, variables: readonly Variable[]): Promise<unknown[]> =>
  (await session.run(variables)).map((value) => value.toArray())

describe('a session manager', () => {
  it('has the chief initialise, and all others wait for it with longer and longer pauses', async () => {
    await using cluster = await startCluster(jobs)
    const chief = managerOf(cluster, 0)
    const other = managerOf(cluster, 1)
    let begun: Promise<Session> | undefined
    // The chief comes once the other has waited for the third time.
    const after = other.clock.after.bind(other.clock)
    other.clock.after = (ms, action) => {
      if (other.clock.waits.length === 2) begun = chief.manager.prepare()
      return after(ms, action)
    }
    await using theirs = await other.manager.prepare()
    await using mine = await begun!
    expect(other.clock.waits.slice(0, 3).map(Math.round)).toEqual([50, 80, 128])
    expect(other.log).toEqual(["/job:worker/task:1: waiting for /job:worker/task:0 to initialise 'a', 'b'"])
    expect(chief.log).toEqual(["/job:worker/task:0 gave 'a', 'b' initial values: there is no checkpoint"])
    expect(await valuesIn(theirs, other.variables)).toEqual([
      [1, 1],
      [2, 2],
    ])
    expect(await valuesIn(mine, chief.variables)).toEqual(await valuesIn(theirs, other.variables))
  })

  it('says at the deadline for whom and for what it waited, and closes its session', async () => {
    await using cluster = await startCluster(jobs)
    const many = Array.from({ length: 7 }, (_, i) =>
      device('/job:ps/task:0', () => variable(constant(i), { name: `v${i}` })),
    )
    let opened: Session | undefined
    const { manager } = managerOf(cluster, 1, {
      saved: many,
      readyDeadlineMs: 3000,
      open: async () => (opened = await cluster.servers[3]!.session()),
    })
    const waiting = manager.prepare()
    await expect(waiting).rejects.toThrow(DeadlineError)
    await expect(waiting).rejects.toThrow(
      "/job:worker/task:1: waited 3000 ms for /job:worker/task:0 to initialise 'v0', 'v1', 'v2', 'v3', 'v4' and 2 more",
    )
    await expect(opened!.run(constant(1))).rejects.toThrow('the session was closed')
  })

  it('restores all variables where one was lost, what survived first', async () => {
    await using cluster = await startCluster(jobs)
    const checkpoints = new Checkpoints(folder)
    const chief = managerOf(cluster, 0, { saver: checkpoints })
    {
      await using session = await chief.manager.prepare()
      await checkpoints.save(session, chief.variables, { step: 5 })
      await session.write(chief.variables[0]!, ndarray([7, 7]))
    }
    await cluster.servers[1]!.close()
    await cluster.start('ps', 1)
    const restored: string[][] = []
    const watched = {
      save: checkpoints.save.bind(checkpoints),
      latest: () => checkpoints.latest(),
      restore: ((session, variables, options) => {
        restored.push(variables.map(({ name }) => name))
        return checkpoints.restore(session, variables, options)
      }) as Checkpoints['restore'],
    }
    const again = managerOf(cluster, 0, { saver: watched })
    await using session = await again.manager.prepare()
    expect(await valuesIn(session, again.variables)).toEqual([
      [1, 1],
      [2, 2],
    ])
    expect(restored).toEqual([['a'], ['b']])
    expect(again.log).toEqual(["/job:worker/task:0 restored the checkpoint of step 5: 'b' had no values"])
  })

  it('leaves live values alone where nothing was lost, and initialises only what was where there is no checkpoint', async () => {
    await using cluster = await startCluster(jobs)
    const saver = new Checkpoints(folder)
    {
      const chief = managerOf(cluster, 0, { saver })
      await using session = await chief.manager.prepare()
      await saver.save(session, chief.variables, { step: 5 })
      for (const one of chief.variables) await session.write(one, ndarray([7, 7]))
    }
    const live = managerOf(cluster, 0, { saver })
    await using kept = await live.manager.prepare()
    expect(await valuesIn(kept, live.variables)).toEqual([
      [7, 7],
      [7, 7],
    ])
    expect(live.log).toEqual([])
    await cluster.servers[1]!.close()
    await cluster.start('ps', 1)
    const without = managerOf(cluster, 0)
    await using session = await without.manager.prepare()
    expect(await valuesIn(session, without.variables)).toEqual([
      [7, 7],
      [2, 2],
    ])
  })

  it('refuses a checkpoint that does not fit', async () => {
    await using cluster = await startCluster(jobs)
    const saver = new Checkpoints(folder)
    {
      const chief = managerOf(cluster, 0)
      await using session = await chief.manager.prepare()
      await saver.save(session, chief.variables, { step: 5 })
    }
    await using fresh = await startCluster(jobs)
    const wider = device('/job:ps/task:0', () => variable(fill({ shape: [3] }), { name: 'a' }))
    const { manager } = managerOf(fresh, 0, { saver, saved: [wider] })
    await expect(manager.prepare()).rejects.toThrow(/'a' is float32\[2\], the variable float32\[3\]/)
  })

  it('says which task is missing', async () => {
    await using cluster = await startCluster(jobs)
    await cluster.servers[1]!.close()
    const opening = managerOf(cluster, 0).manager.prepare()
    await expect(opening).rejects.toThrow(UnavailableError)
    await expect(opening).rejects.toThrow('/job:ps/task:1 at ps:2 could not be reached within 1 ms')
  })

  it('gives way to a chief that took the lease, and takes it back when that one does nothing', async () => {
    await using cluster = await startCluster(jobs)
    let newest = { epoch: 0, holder: '' }
    const lines: string[] = []
    const lease = {
      claim: async (holder: string) => (newest = { epoch: newest.epoch + 1, holder }).epoch,
      newest: async () => newest,
    }
    const own = { job: 'worker', task: 0 }
    const chiefship = new Chiefship({
      cluster: cluster.spec,
      own,
      liveness: everyoneLives,
      lease,
      log: (line) => lines.push(line),
    })
    await chiefship.hold()
    await lease.claim('/job:worker/task:1')
    const { manager, log } = managerOf(cluster, 0, { chiefship })
    await using session = await manager.prepare()
    expect(log).toEqual([
      expect.stringContaining('/job:worker/task:0 is not chief any more: /job:worker/task:0 had lease 1'),
      "/job:worker/task:0 gave 'a', 'b' initial values: there is no checkpoint",
    ])
    expect(lines.at(-1)).toBe('/job:worker/task:0 is chief, by lease 3')
    expect(await session.isInitialized(twoVariables()[0])).toBe(true)
  })

  it('writes nothing once another task has become chief, however far it had come', async () => {
    await using cluster = await startCluster(jobs)
    const checkpoints = new Checkpoints(folder)
    let newest = { epoch: 0, holder: '' }
    const lease = {
      claim: async (holder: string) => (newest = { epoch: newest.epoch + 1, holder }).epoch,
      newest: async () => newest,
    }
    const chiefship = (task: number, isAlive: () => boolean) =>
      new Chiefship({
        cluster: cluster.spec,
        own: { job: 'worker', task },
        liveness: { isAlive },
        lease,
        log: () => {},
      })
    {
      const chief = managerOf(cluster, 0, { saver: checkpoints })
      await using session = await chief.manager.prepare()
      await checkpoints.save(session, chief.variables, { step: 5 })
    }
    await cluster.servers[1]!.close()
    await cluster.start('ps', 1)
    const next = managerOf(cluster, 1, { saver: checkpoints, chiefship: chiefship(1, () => false) })
    let others: Session | undefined
    // While the first one reads its file, the next one thinks it dead, restores everything, and trains.
    const slow = {
      save: checkpoints.save.bind(checkpoints),
      latest: () => checkpoints.latest(),
      restore: (async (session, variables, options) => {
        if (!others) {
          others = await next.manager.prepare()
          for (const one of next.variables) await others.write(one, ndarray([9, 9]))
        }
        return checkpoints.restore(session, variables, options)
      }) as Checkpoints['restore'],
    }
    const first = managerOf(cluster, 0, { saver: slow, chiefship: chiefship(0, () => true) })
    await using session = await first.manager.prepare()
    expect(await valuesIn(session, first.variables)).toEqual([
      [9, 9],
      [9, 9],
    ])
    expect(first.log).toEqual([
      '/job:worker/task:0 is not chief any more: /job:worker/task:0 had lease 1, the newest is 2, of /job:worker/task:1',
    ])
    await others!.close()
  })
})
