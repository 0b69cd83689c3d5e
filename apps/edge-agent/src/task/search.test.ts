import { ValueError } from '@shoal/core'
import { SimulatedClock } from '@shoal/distributed'
import { float, type Objective, randomSampler, type Trial, type TrialRecord } from '@shoal/tune'
import { describe, expect, it } from 'vitest'
import type { Json } from '../jobs/json.ts'
import { hashOf } from '../blobs/hash.ts'
import { defineProgram } from './program.ts'
import { runTask } from './runTask.ts'
import { MemoryJob, type MemoryTask } from './testing/memoryJob.ts'
import type { TrialTask } from './trialTask.ts'

const space = { x: float(0, 1) }
type Trying = Trial<typeof space>
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** A search for a small x, in eight trials, each of which keeps a model. */
const searching = (also: (trial: Trying, task: TrialTask) => Promise<void> | void = () => {}) =>
  defineProgram({
    search: {
      space,
      sampler: randomSampler(),
      trials: 8,
      async objective(trial, task) {
        await also(trial, task)
        await trial.report(1, trial.params.x / 2)
        await task.saveModel(bytesOf(`model of trial ${trial.number}`))
        return trial.params.x
      },
    },
  })

/** A job that searches, and a clock that goes when it is let. */
function begin(settings: Readonly<Record<string, Json>> = {}) {
  const clock = new SimulatedClock()
  const job = new MemoryJob({ kind: 'search', settings })
  const run = (program: unknown, port: MemoryTask) => runTask(program, port, { clock, random: () => 0.5 })
  const trials = (): readonly TrialRecord[] =>
    (job.value('study') as unknown as { readonly trials: readonly TrialRecord[] }).trials
  const ended = () => job.told.flatMap((told) => (told.kind === 'trialEnded' ? [told] : []))
  return { clock, job, run, trials, ended }
}

describe('a search', () => {
  it('is shared by its tasks: each trial ends once, with its model', async () => {
    const { clock, job, run, trials, ended } = begin()
    const ends = await clock.settle(Promise.all([0, 1, 2].map((i) => run(searching(), job.task(i)))))
    expect(ends).toEqual([{ kind: 'done' }, { kind: 'done' }, { kind: 'done' }])
    expect(trials().map(({ state, attempt }) => [state, attempt])).toEqual(
      Array.from({ length: 8 }, () => ['complete', 1]),
    )
    expect(
      ended()
        .map(({ trial }) => trial)
        .toSorted((a, b) => a - b),
    ).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    expect(new Set(trials().map(({ owner }) => owner)).size).toBe(3)
    trials().forEach(({ number }) => {
      const hash = hashOf(bytesOf(`model of trial ${number}`))
      expect(job.value(`trials/${number}`)).toMatchObject({ hash })
      expect(job.blobs.has(hash)).toBe(true)
    })
    const best = trials().toSorted((a, b) => a.objectives[0]! - b.objectives[0]!)[0]!
    expect(job.value('result')).toEqual({
      best: { trial: best.number, params: best.values, value: best.objectives[0] },
    })
    expect(job.value('models/model')).toMatchObject({
      hash: hashOf(bytesOf(`model of trial ${best.number}`)),
    })
  })

  it('tells of each report and each end, with the parameters', async () => {
    const { clock, job, run, trials, ended } = begin({ trials: 2, seed: 4 })
    await clock.settle(run(searching(), job.task(0)))
    const [first, second] = trials()
    expect(job.told.flatMap((told) => (told.kind === 'metrics' ? [told] : []))).toEqual(
      [first!, second!].map(({ number: trial, values }) => ({
        kind: 'metrics',
        task: 'worker:0',
        step: 1,
        trial,
        values: { value: Number(values['x']) / 2 },
      })),
    )
    expect(ended()).toEqual(
      [first!, second!].map(({ number: trial, values }) => ({
        kind: 'trialEnded',
        trial,
        state: 'complete',
        params: values,
        value: values['x'],
      })),
    )
  })

  it('finds the trial of a task that died in the middle, and runs it again; none is lost, none ends twice', async () => {
    const { clock, job, run, trials, ended } = begin()
    const dying = job.task(0)
    void run(
      searching(({ number }) => {
        // After its model was kept, and before it is told.
        if (number >= 1)
          job.onWrite = ({ key, task }) => void (task === 'worker:0' && key === 'trials/1' && dying.kill())
      }),
      dying,
    )
    await clock.run(1000)
    expect(trials().map(({ state }) => state)).toEqual(['complete', 'running'])
    const others = Promise.all([1, 2].map((i) => run(searching(), job.task(i))))
    expect(await clock.settle(others)).toEqual([{ kind: 'done' }, { kind: 'done' }])
    expect(trials().map(({ number, state, attempt, lost }) => [number, state, attempt, lost])).toEqual(
      Array.from({ length: 8 }, (_, i) => (i === 1 ? [i, 'complete', 2, 1] : [i, 'complete', 1, 0])),
    )
    expect(
      ended()
        .map(({ trial }) => trial)
        .toSorted((a, b) => a - b),
    ).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    // It took the lease to find out, and not much more.
    expect(clock.now()).toBeLessThan(20_000)
  })

  it('goes on when all of its tasks are begun again', async () => {
    const { clock, job, run, trials } = begin()
    const dying = job.task(0)
    void run(
      searching(({ number }) => (number === 3 ? dying.kill() : undefined)),
      dying,
    )
    await clock.run(1000)
    const before = trials().slice(0, 3)
    expect(await clock.settle(run(searching(), job.task(0, { attempt: 1 })))).toEqual({ kind: 'done' })
    expect(trials().slice(0, 3)).toEqual(before)
    expect(trials()).toHaveLength(8)
    expect(trials()[3]).toMatchObject({ state: 'complete', attempt: 2 })
  })

  it('gives a trial back when the task is asked to stop, and another one runs it', async () => {
    const { clock, job, run, trials } = begin({ trials: 2 })
    const first = job.task(0)
    const stopping = run(
      searching(({ number, signal }) => {
        if (number === 1) first.stop()
        if (number === 1) signal.throwIfAborted()
      }),
      first,
    )
    expect(await clock.settle(stopping)).toEqual({ kind: 'stopped' })
    expect(trials()[1]).toMatchObject({ state: 'waiting', lost: 0 })
    expect(await clock.settle(run(searching(), job.task(1)))).toEqual({ kind: 'done' })
    expect(trials().map(({ state }) => state)).toEqual(['complete', 'complete'])
  })

  it('fails with what an objective throws, unless the search can live with it', async () => {
    const { clock, job, run, trials } = begin({ trials: 2 })
    const failing = searching(({ number }) => {
      if (number === 0) throw new ValueError('the loss is not here')
    })
    expect(await clock.settle(run(failing, job.task(0)))).toEqual({
      kind: 'failed',
      message: 'ValueError: the loss is not here',
    })
    const tolerant = {
      search: { ...failing.search!, tolerate: (error: unknown) => error instanceof ValueError },
    }
    expect(await clock.settle(run(tolerant, job.task(0, { attempt: 1 })))).toEqual({ kind: 'done' })
    expect(trials().map(({ state }) => state)).toEqual(['failed', 'complete'])
  })

  it('has a front of results where there are several objectives', async () => {
    const { clock, job, run } = begin()
    const objective: Objective<typeof space, readonly ['minimize', 'maximize']> = ({ number }) =>
      number === 0 ? [1, 2] : number === 1 ? [2, 3] : [3, 1]
    const program = defineProgram({
      search: { space, direction: ['minimize', 'maximize'], sampler: randomSampler(), trials: 3, objective },
    })
    await clock.settle(run(program, job.task(0)))
    expect(job.value('result')).toMatchObject({
      front: [
        { trial: 0, value: [1, 2] },
        { trial: 1, value: [2, 3] },
      ],
    })
  })

  it('says so when the program searches for nothing', async () => {
    const { clock, job, run } = begin()
    const message =
      "ValueError: the program has nothing for 'shoal search': its default export is to be defineProgram({ search… })"
    for (const program of [{}, undefined, { train: async () => {} }])
      expect(await clock.settle(run(program, job.task(0)))).toEqual({ kind: 'failed', message })
  })
})
