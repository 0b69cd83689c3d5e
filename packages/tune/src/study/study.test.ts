import { describe, expect, expectTypeOf, it } from 'vitest'
import { gridSampler } from '../samplers/grid.ts'
import { randomSampler } from '../samplers/random.ts'
import { tpeSampler } from '../samplers/tpe.ts'
import { categorical, float, int } from '../space/domain.ts'
import { MemoryStorage } from '../storage/memory.ts'
import { ManualClock } from '../testing/manualClock.ts'
import type { Trial } from './runningTrial.ts'
import { createStudy } from './study.ts'

const space = { x: float(-1, 1), kind: categorical(['a', 'b']) }
const objective = ({ params }: Trial<typeof space>): number => params.x ** 2 + (params.kind === 'a' ? 0 : 1)

async function begun<T>(asked: Promise<T | 'wait' | 'done'>): Promise<T> {
  const trial = await asked
  if (trial === 'wait' || trial === 'done') throw new Error(`got ${String(trial)} where a trial was wanted`)
  return trial as T
}

describe('a study', () => {
  it('finds what is best, and the same again by the same seed', async () => {
    const run = async (seed: number) => {
      const study = await createStudy({ space, seed })
      await study.optimize(objective, { trials: 40 })
      return study.trials()
    }
    const [first, again, other] = [await run(1), await run(1), await run(2)]
    expect(first).toEqual(again)
    expect(first.map(({ params }) => params.x)).not.toEqual(other.map(({ params }) => params.x))
    expect(Math.min(...first.map(({ value }) => value!))).toBeLessThan(0.01)
  })

  it('types parameters, scores and gradients', async () => {
    const study = await createStudy({ space, direction: ['minimize', 'maximize'] })
    const best = await study.best()
    expect(best).toBe(undefined)
    expectTypeOf<NonNullable<typeof best>['value']>().toEqualTypeOf<readonly [number, number] | undefined>()
    // @ts-expect-error: one score of two
    await expect(study.optimize(() => 1, { trials: 1 })).rejects.toThrow('wants 2 number(s)')
    // @ts-expect-error: a categorical parameter has no gradient
    await study.add({ x: 0, kind: 'a' }, { value: [0, 1], gradients: { kind: 1 } })
    // @ts-expect-error: no such parameter
    expect(() => study.enqueue({ x: 0, kind: 'a', y: 1 })).toThrow("no parameter 'y'")
  })

  it('runs trials at the same time, and no more than were asked for', async () => {
    const study = await createStudy({ space, sampler: randomSampler() })
    let [running, most] = [0, 0]
    await study.optimize(
      async (trial) => {
        most = Math.max(most, ++running)
        for (let turn = 0; turn < 5; turn++) await Promise.resolve()
        running--
        return objective(trial)
      },
      { trials: 10, parallel: 3 },
    )
    expect(most).toBe(3)
    expect((await study.trials()).map(({ state }) => state)).toEqual(
      Array.from({ length: 10 }, () => 'complete'),
    )
  })

  it('goes on where it was, and counts what is there', async () => {
    const storage = new MemoryStorage()
    const first = await createStudy({ space, storage, seed: 5 })
    await first.optimize(objective, { trials: 6 })
    const second = await createStudy({ space, storage, seed: 99 })
    await second.optimize(objective, { trials: 15 })
    const whole = await createStudy({ space, seed: 5 })
    await whole.optimize(objective, { trials: 15 })
    expect(await second.trials()).toEqual(await whole.trials())
  })

  it('refuses a study of another space or direction under its name', async () => {
    const storage = new MemoryStorage()
    await createStudy({ space, storage })
    await expect(createStudy({ space: { x: int(0, 1) }, storage })).rejects.toThrow('another space')
    await expect(createStudy({ space, storage, direction: 'maximize' })).rejects.toThrow('another direction')
  })

  it('tries first what was enqueued, and learns from what was added', async () => {
    const study = await createStudy({ space, direction: 'maximize' })
    await study.add({ x: 1, kind: 'b' }, 100)
    await study.enqueue({ x: 0.25, kind: 'a' })
    await study.optimize(objective, { trials: 3 })
    const [added, enqueued] = await study.trials()
    expect(added).toMatchObject({ state: 'complete', value: 100, attempts: 0 })
    expect(enqueued).toMatchObject({ params: { x: 0.25, kind: 'a' }, value: 0.0625 })
    expect((await study.best())?.number).toBe(0)
  })

  it('is done when its sampler is, and the waiting lanes end', async () => {
    const study = await createStudy({ space: { n: int(1, 3) }, sampler: gridSampler() })
    await study.optimize(({ params }) => params.n, { trials: 100, parallel: 4 })
    expect((await study.trials()).map(({ params }) => params.n)).toEqual([1, 2, 3])
  })

  it('throws what an objective throws, after what ran beside it has ended', async () => {
    const study = await createStudy({ space, sampler: randomSampler() })
    const failing = study.optimize(
      async (trial) => {
        if (trial.number === 1) throw new RangeError('diverged')
        for (let turn = 0; turn < 50; turn++) await Promise.resolve()
        return 1
      },
      { trials: 8, parallel: 2 },
    )
    await expect(failing).rejects.toThrow('diverged')
    const trials = await study.trials()
    expect(trials.map(({ state }) => state)).toEqual(['complete', 'failed'])
    expect(trials[1]!.error).toBe('RangeError: diverged')
  })

  it('lives with errors that it is told to tolerate, and with runs that diverge', async () => {
    const study = await createStudy({ space, sampler: randomSampler() })
    const told: (number | undefined)[] = []
    await study.optimize(
      ({ number }) => {
        if (number === 0) throw new RangeError('no')
        return number === 1 ? Number.NaN : number
      },
      {
        trials: 4,
        tolerate: (error) => error instanceof RangeError,
        onTrial: (_, outcome) => told.push(outcome as number | undefined),
      },
    )
    expect((await study.trials()).map(({ state }) => state)).toEqual([
      'failed',
      'failed',
      'complete',
      'complete',
    ])
    expect(told).toEqual([undefined, Number.NaN, 2, 3])
    expect((await study.best())?.number).toBe(2)
  })

  it('gives trials back when it is called off', async () => {
    const storage = new MemoryStorage()
    const study = await createStudy({ space, storage })
    const abort = new AbortController()
    const stopped = study.optimize(
      async ({ number, signal }) => {
        if (number < 2) return 1
        const aborted = new Promise((_, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        )
        abort.abort(new Error('enough'))
        await aborted
        return 0
      },
      { trials: 9, signal: abort.signal },
    )
    await expect(stopped).rejects.toThrow('enough')
    expect((await study.trials()).map(({ state }) => state)).toEqual(['complete', 'complete', 'waiting'])
    const later = await createStudy({ space, storage })
    await later.optimize(objective, { trials: 4 })
    expect((await later.trials()).map(({ state, attempts }) => [state, attempts])).toEqual([
      ['complete', 1],
      ['complete', 1],
      ['complete', 2],
      ['complete', 1],
    ])
  })

  it('has ended a trial before it says so, and passes on what is thrown at that', async () => {
    const study = await createStudy({ space })
    const failing = study.optimize(() => 1, {
      trials: 3,
      onTrial: () => {
        throw new RangeError('the display broke')
      },
    })
    await expect(failing).rejects.toThrow('the display broke')
    expect((await study.trials()).map(({ state }) => state)).toEqual(['complete'])
  })

  it('prefers trials that keep their constraints', async () => {
    const study = await createStudy({ space: { x: float(0, 1) } })
    await study.add({ x: 0 }, { value: 0, constraints: [1] })
    expect(await study.best()).toBe(undefined)
    await study.add({ x: 0.5 }, { value: 5, constraints: [-1] })
    await study.add({ x: 1 }, { value: 6, constraints: [0] })
    expect((await study.best())?.number).toBe(1)
  })

  it('finds the front of several objectives', async () => {
    const study = await createStudy({ space: { x: float(0, 1) }, direction: ['minimize', 'maximize'] })
    for (const [a, b] of [
      [1, 1],
      [2, 3],
      [2, 2],
      [0, 0],
      [3, 3],
    ] as const)
      await study.add({ x: 0 }, [a, b])
    expect((await study.front()).map(({ number }) => number)).toEqual([0, 1, 3])
  })
})

describe('a lost trial', () => {
  const settings = { space, sampler: tpeSampler(), leaseMs: 3_000, retries: 1 }

  it('is kept by its heartbeat, found when that ends, run again and in the end given up', async () => {
    const [storage, clock] = [new MemoryStorage(), new ManualClock()]
    const dying = await createStudy({ ...settings, storage, clock })
    const other = await createStudy({ ...settings, storage, clock })
    const trial = await begun(dying.ask())
    await clock.pass(60_000)
    expect(await other.ask({ limit: 1 })).toBe('wait')
    dying.close()
    await clock.pass(2_999)
    expect(await other.ask({ limit: 1 })).toBe('wait')
    await clock.pass(1)
    const again = await begun(other.ask({ limit: 1 }))
    expect([again.number, again.attempt, again.params]).toEqual([0, 2, trial.params])
    other.close()
    await clock.pass(3_000)
    expect(await other.ask({ limit: 1 })).toBe('done')
    expect(await other.trials()).toMatchObject([
      { state: 'failed', error: 'lost 2 times: whoever ran it fell silent' },
    ])
  })

  it('cannot be told by who lost it, and not twice', async () => {
    const [storage, clock] = [new MemoryStorage(), new ManualClock()]
    const study = await createStudy({ ...settings, storage, clock })
    const trial = await begun(study.ask())
    study.close()
    await clock.pass(3_000)
    const again = await begun(study.ask())
    await expect(trial.report(1, 1)).rejects.toThrow('others were given it')
    await expect(study.tell(trial, 1)).rejects.toThrow('others were given it')
    await study.tell(again, 2)
    await expect(study.tell(again, 3)).rejects.toThrow('it is complete')
    expect(await study.trials()).toMatchObject([{ value: 2, attempts: 2 }])
  })

  it('is taken over by a study that waits for it', async () => {
    const [storage, clock] = [new MemoryStorage(), new ManualClock()]
    const dying = await createStudy({ ...settings, storage, clock })
    await dying.ask()
    dying.close()
    const other = await createStudy({ ...settings, storage, clock })
    const done = other.optimize(objective, { trials: 1 })
    await clock.pass(5_000)
    await done
    expect(await other.trials()).toMatchObject([{ state: 'complete', attempts: 2 }])
    expect(clock.waiting).toBe(0)
  })

  it('is left to who has it now, when it ends too late', async () => {
    const [storage, clock] = [new MemoryStorage(), new ManualClock()]
    const study = await createStudy({ ...settings, storage, clock })
    let taken = false
    await study.optimize(
      async ({ number }) => {
        if (number > 0 || taken) return 5
        taken = true
        await storage.change('study', ([record]) => ({
          put: [{ ...record!, state: 'waiting' }],
          result: undefined,
        }))
        throw new RangeError('late')
      },
      { trials: 2 },
    )
    expect(await study.trials()).toMatchObject([
      { state: 'complete', value: 5, attempts: 2 },
      { state: 'complete', value: 5, attempts: 1 },
    ])
  })

  it('hears of it at its next heartbeat', async () => {
    const [storage, clock] = [new MemoryStorage(), new ManualClock()]
    const slow = await createStudy({ ...settings, storage, clock, leaseMs: 9_000 })
    const trial = await begun(slow.ask())
    await storage.change('study', ([record]) => ({ put: [{ ...record!, attempt: 2 }], result: undefined }))
    await clock.pass(3_000)
    expect(trial.signal.aborted).toBe(true)
    expect(trial.signal.reason).toMatchObject({ name: 'TrialLostError' })
  })
})
