import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { constant, NonFiniteError, ShapeError } from '@shoal/core'
import type { Hook, StepValues } from '@shoal/train'
import { stopAtStep } from '@shoal/train'
import { Checkpoints } from '@shoal/train/node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { UnavailableError } from '../errors.ts'
import { startCluster, type TestCluster } from '../server/testCluster.ts'
import { DirectoryLease } from './directoryLease.ts'
import { type MonitoredSession, type MonitoredSessionOptions, monitoredSession } from './monitoredSession.ts'
import { linearBatch, type LinearModel, linearModel } from './testing/linearModel.ts'
import { QuickClock } from './testing/quickClock.ts'

const jobs = { ps: ['ps:1', 'ps:2'], worker: ['w:1', 'w:2'] }

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'supervise-'))
})
afterEach(() => rm(folder, { recursive: true }))

interface Replica extends AsyncDisposable {
  readonly training: MonitoredSession
  readonly model: LinearModel
  readonly clock: QuickClock
  readonly log: readonly string[]
  /** Runs steps with batches in turn; answers the values of the last. */
  steps(count: number): Promise<StepValues | undefined>
}

/** A replica of worker `task`, which saves in the folder of the test. */
async function replica(
  cluster: TestCluster,
  task: number,
  options: Partial<MonitoredSessionOptions> = {},
): Promise<Replica> {
  const model = linearModel(cluster.spec, task)
  const clock = new QuickClock()
  const log: string[] = []
  const training = await monitoredSession({
    server: cluster.servers.find(({ def }) => def.job === 'worker' && def.task === task)!,
    variables: model.variables,
    globalStep: model.globalStep,
    checkpoints: new Checkpoints(folder),
    clock,
    random: () => 0.5,
    // On this clock waiting takes no time, and what disks do takes none of it.
    readyDeadlineMs: 1e12,
    log: (line) => log.push(line),
    session: { startDeadlineMs: 1 },
    ...options,
  })
  let batch = 1000 * task
  const steps = async (count: number): Promise<StepValues | undefined> => {
    let values: StepValues | undefined
    for (let i = 0; i < count; i++)
      values = (await training.run(model.fetches, linearBatch(batch++))) as unknown as StepValues | undefined
    return values
  }
  return { training, model, clock, log, steps, [Symbol.asyncDispose]: () => training.close() }
}

const saved = async (): Promise<number[]> => (await new Checkpoints(folder).list()).map(({ step }) => step)

describe('a monitored session', () => {
  it('trains replicas together, and counts the steps of all', async () => {
    await using cluster = await startCluster(jobs)
    await using one = await replica(cluster, 0)
    await using two = await replica(cluster, 1)
    await one.steps(60)
    const values = await two.steps(60)
    expect([one.training.step, two.training.step, two.training.batch]).toEqual([60, 120, 60])
    expect([one.training.isChief, two.training.isChief]).toEqual([true, false])
    expect(values!['loss']!.item()).toBeLessThan(1e-4)
    expect(one.log).toEqual([
      "/job:worker/task:0 gave 'w', 'b', 'gradientDescent/step', 'globalStep' initial values: there is no checkpoint",
      '/job:worker/task:0: ready at step 0, as chief',
    ])
    expect(two.log).toEqual(['/job:worker/task:1: ready at step 0'])
  })

  it('saves by steps and at the end, and a new training goes on from there', async () => {
    {
      await using cluster = await startCluster(jobs)
      await using one = await replica(cluster, 0, { saveEverySteps: 10 })
      await using two = await replica(cluster, 1, { saveEverySteps: 10 })
      await two.steps(5)
      await one.steps(16)
      await two.steps(10)
      expect(await saved()).toEqual([10, 20])
    }
    // Whoever is not chief saves nothing at his end either.
    expect(await saved()).toEqual([10, 20, 21])
    await using cluster = await startCluster(jobs)
    await using again = await replica(cluster, 0)
    // The newest one was made when the chief's own count was 21, and holds the steps of the others as well.
    expect(again.training.step).toBe(31)
  })

  it('saves by time', async () => {
    await using cluster = await startCluster(jobs)
    await using one = await replica(cluster, 0)
    await one.steps(1)
    one.clock.advance(599_000)
    await one.steps(1)
    expect(await saved()).toEqual([])
    one.clock.advance(1000)
    await one.steps(2)
    expect(await saved()).toEqual([3])
  })

  it('has a parameter server that lost its values restored, with all others, and goes on', async () => {
    await using cluster = await startCluster(jobs)
    await using one = await replica(cluster, 0, { saveEverySteps: 10 })
    await using two = await replica(cluster, 1)
    await one.steps(15)
    // The second server holds w; the step counter, on the first one, survives, and is set back all the same.
    await cluster.servers[1]!.close()
    await cluster.start('ps', 1)
    const [lost, theirs] = await Promise.all([one.steps(1), two.steps(1)])
    expect([lost, theirs]).toEqual([undefined, undefined])
    expect([one.training.step, two.training.step]).toEqual([10, 10])
    expect(one.log.slice(-3)).toEqual([
      expect.stringMatching(
        /^\/job:worker\/task:0: lost its session at step 15, opens another, attempt 1 of 10: \/job:ps\/task:1: /,
      ),
      expect.stringContaining("restored the checkpoint of step 10: 'w'"),
      '/job:worker/task:0: ready at step 10, as chief',
    ])
    expect(two.log.at(-1)).toBe('/job:worker/task:1: ready at step 10')
    await one.steps(50)
    expect((await two.steps(50))!['loss']!.item()).toBeLessThan(1e-3)
    expect(two.training.step).toBe(110)
  })

  it('keeps what the parameter servers have when only a worker is started anew', async () => {
    await using cluster = await startCluster(jobs)
    await using one = await replica(cluster, 0, { saveEverySteps: 10 })
    await one.steps(15)
    await cluster.servers[2]!.close()
    const server = await cluster.start('worker', 0)
    await using again = await replica(cluster, 0, { server })
    expect(again.training.step).toBe(15)
    expect(again.log).toEqual(['/job:worker/task:0: ready at step 15, as chief'])
    await one.training.close(new Error('its server is gone'))
  })

  it('lets the next worker be chief when the first one is dead', async () => {
    await using cluster = await startCluster(jobs)
    const dead = new Set<string>()
    const liveness = {
      isAlive: ({ job, task }: { job: string; task: number }) => !dead.has(`${job}${task}`),
    }
    const lease = new DirectoryLease(folder)
    const options = { liveness, lease, saveEverySteps: 10 }
    await using one = await replica(cluster, 0, options)
    await using two = await replica(cluster, 1, options)
    await one.steps(12)
    await two.steps(12)
    expect(await saved()).toEqual([10])
    // As one who was stopped, and thinks himself alive.
    dead.add('worker0')
    expect([one.training.isChief, two.training.isChief]).toEqual([true, true])
    await two.steps(15)
    expect(await saved()).toEqual([10, 35])
    await one.steps(1)
    expect(await saved()).toEqual([10, 35])
    expect(two.log.at(-1)).toBe('/job:worker/task:1 is chief, by lease 2')
    expect(one.log.at(-1)).toBe(
      '/job:worker/task:0: no checkpoint of step 40, another task is chief: ' +
        '/job:worker/task:0 had lease 1, the newest is 2, of /job:worker/task:1',
    )
    // It is alive again, and all know it.
    dead.clear()
    await one.steps(10)
    expect(two.training.isChief).toBe(false)
    expect(one.log.at(-1)).toBe('/job:worker/task:0 is chief, by lease 3')
    expect(await saved()).toEqual([10, 35, 50])
    expect((await readdir(folder)).filter((name) => name.endsWith('.lease'))).toEqual(['chief-3.lease'])
  })

  it('gives no checkpoint its name once another task has taken the lease', async () => {
    await using cluster = await startCluster(jobs)
    const lease = new DirectoryLease(folder)
    const checkpoints = new Checkpoints(folder)
    let others = 0
    const saver = {
      latest: () => checkpoints.latest(),
      restore: checkpoints.restore.bind(checkpoints),
      // This task is stopped when it has made sure of its lease, and goes on when another one is chief.
      save: (async (...args) => {
        if (others++ === 0) await lease.claim('another task')
        return checkpoints.save(...args)
      }) as Checkpoints['save'],
    }
    await using one = await replica(cluster, 0, { lease, checkpoints: saver, saveEverySteps: 5 })
    await one.steps(5)
    expect(await saved()).toEqual([])
    expect((await readdir(folder)).sort()).toEqual(['chief-2.lease'])
    expect(one.log.at(-1)).toContain('no checkpoint of step 5, another task is chief')
    await one.steps(5)
    expect(await saved()).toEqual([10])
  })

  it('survives a loss that a hook meets', async () => {
    await using cluster = await startCluster(jobs)
    let readings = 0
    const reader: Hook = {
      async afterRun(run) {
        if (run.step !== 4 || readings > 0) return
        readings++
        await cluster.servers[1]!.close()
        await cluster.start('ps', 1)
        await run.session.run(one.model.variables)
      },
    }
    await using one = await replica(cluster, 0, { hooks: [reader], saveEverySteps: 2 })
    expect(await one.steps(4)).toMatchObject({ loss: expect.anything() as unknown })
    expect(one.training.step).toBe(2)
    await one.steps(2)
    expect([one.training.step, readings]).toEqual([4, 1])
  })

  it('stops all replicas when one asks for it', async () => {
    await using cluster = await startCluster(jobs)
    const calls: string[] = []
    const witness: Hook = {
      begin: (run) => void calls.push(`begin ${run.step}`),
      end: (run, error) => void calls.push(`end ${run.step} ${run.stopped} ${String(error)}`),
    }
    await using one = await replica(cluster, 0, { hooks: [stopAtStep(5)] })
    await using two = await replica(cluster, 1, { hooks: [witness] })
    await two.steps(1)
    while (!one.training.shouldStop) await one.steps(1)
    expect([one.training.step, one.training.stopped]).toEqual([5, '5 steps are done'])
    expect(two.training.shouldStop).toBe(false)
    await two.steps(1)
    expect(two.training.shouldStop).toBe(true)
    await two.training.close()
    expect(calls).toEqual(['begin 0', 'end 6 another replica has asked all to stop undefined'])
    // Nor does one train that is started afterwards.
    await using late = await replica(cluster, 1)
    expect(late.training.shouldStop).toBe(true)
  })

  it('asks again when a parameter server has forgotten the wish', async () => {
    await using cluster = await startCluster(jobs)
    await using one = await replica(cluster, 0, { saveEverySteps: 2 })
    await using two = await replica(cluster, 1)
    await one.steps(2)
    one.training.stop('enough')
    await one.steps(1)
    await cluster.servers[0]!.close()
    await cluster.start('ps', 0)
    await Promise.all([one.training.close(), two.steps(1)])
    await two.steps(1)
    expect(two.training.stopped).toBe('another replica has asked all to stop')
  })

  it('gives up after as many sessions as it may open, with longer and longer pauses', async () => {
    await using cluster = await startCluster(jobs)
    await using one = await replica(cluster, 0, { maxRestarts: 3 })
    await one.steps(1)
    await cluster.servers[0]!.close()
    const running = one.steps(1)
    await expect(running).rejects.toThrow(UnavailableError)
    await expect(running).rejects.toThrow(
      /^\/job:worker\/task:0: gave up at step 1, after 3 new sessions without progress: \/job:ps\/task:0 at ps:1 could not be reached/,
    )
    expect(one.clock.waits.map(Math.round)).toEqual([100, 160, 256])
    expect(one.log.filter((line) => line.includes('lost its session'))).toHaveLength(3)
  })

  it('ends with an error that is none of the network, tells hooks, and saves nothing', async () => {
    await using cluster = await startCluster(jobs)
    const ends: unknown[] = []
    const refuse: Hook = {
      beforeRun: (_, feeds) => {
        if ('bad' in feeds) throw new NonFiniteError('the loss is NaN')
      },
      end: (_, error) => void ends.push(error),
    }
    const one = await replica(cluster, 0, { hooks: [refuse] })
    await one.steps(3)
    const failing = one.training.run(one.model.fetches, { bad: constant(0) as never })
    await expect(failing).rejects.toThrow(NonFiniteError)
    await one.training.close()
    expect(ends).toEqual([expect.any(NonFiniteError)])
    expect(await saved()).toEqual([])
    expect(() => one.training.session).toThrow('is not open')
  })

  it('names a feed that does not fit, as any session does', async () => {
    await using cluster = await startCluster(jobs)
    const one = await replica(cluster, 0)
    await expect(one.training.run(one.model.fetches, { x: [[1]], y: [[1]] })).rejects.toThrow(ShapeError)
    await one.training.close()
  })

  it('goes on when the disk is full, and ends with that error when it is full at the end', async () => {
    await using cluster = await startCluster(jobs)
    const checkpoints = new Checkpoints(folder)
    let full = true
    const save: Checkpoints['save'] = async (...args) => {
      if (full) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', syscall: 'write' })
      return checkpoints.save(...args)
    }
    const saver = { save, latest: () => checkpoints.latest(), restore: checkpoints.restore.bind(checkpoints) }
    const one = await replica(cluster, 0, { checkpoints: saver, saveEverySteps: 4 })
    await one.steps(4)
    expect(one.log.at(-1)).toBe(
      '/job:worker/task:0: no checkpoint of step 4, the next attempt is the next save: ENOSPC: no space left',
    )
    full = false
    await one.steps(4)
    expect(await saved()).toEqual([8])
    full = true
    await one.steps(2)
    await expect(one.training.close()).rejects.toThrow('ENOSPC')
  })

  it('ends every wait with its signal', async () => {
    await using cluster = await startCluster(jobs)
    const ending = new AbortController()
    const waiting = replica(cluster, 1, {
      signal: ending.signal,
      log: () => ending.abort(new Error('enough')),
    })
    await expect(waiting).rejects.toThrow('enough')
  })
})
