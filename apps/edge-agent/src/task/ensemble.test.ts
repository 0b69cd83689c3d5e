import {
  add,
  glorotUniform,
  matmul,
  ndarray,
  placeholder,
  Session,
  softmax,
  sparseSoftmaxCrossEntropy,
  tanh,
  threefry,
  variable,
} from '@shoal/core'
import { adam, loadModel, saveModel } from '@shoal/train'
import { float, randomSampler } from '@shoal/tune'
import { describe, expect, it } from 'vitest'
import type { Json } from '../jobs/json.ts'
import type { EnsembleProgram } from './ensemble.ts'
import { defineProgram } from './program.ts'
import { runTask } from './runTask.ts'
import { MemoryJob } from './testing/memoryJob.ts'
import { quickMeans } from './testing/quickClock.ts'

/** Points of three classes, which overlap. The same seed, the same points. */
function points(seed: number, count: number) {
  const labels = Array.from({ length: count }, (_, i) => i % 3)
  const x = labels.map((label, i) => {
    const [a, b] = threefry([seed, 3], [i, 0]).map((bits) => (bits >>> 0) / 2 ** 31 - 1) as [number, number]
    return [Math.cos(2 * label) + 1.2 * a, Math.sin(2 * label) + 1.2 * b]
  })
  return { x: ndarray(x, 'float32'), label: ndarray(labels, 'int32') }
}

/** A small network that learns a few points of its own, and is no wiser than that. */
async function train(seed: number, rate: number): Promise<Uint8Array> {
  const x = placeholder({ shape: ['n', 2], name: 'x' })
  const label = placeholder({ shape: ['n'], dtype: 'int32', name: 'label' })
  const hidden = tanh(matmul(x, variable(glorotUniform([2, 8], { seed }), { name: 'hidden' })))
  const scores = add(
    matmul(hidden, variable(glorotUniform([8, 3], { seed: seed + 1 }), { name: 'scores' })),
    variable([0, 0, 0], { name: 'bias' }),
  )
  const step = adam({ learningRate: rate }).minimize(
    sparseSoftmaxCrossEntropy(scores, label, { reduction: 'mean' }),
  )
  await using session = new Session({ seed })
  await session.initialize(step)
  const few = points(seed + 1, 24)
  for (let i = 0; i < 25; i++) await session.run(step, few)
  return await saveModel({ session, outputs: { probabilities: softmax(scores) } })
}

const models = new Map<string, Promise<Uint8Array>>()
/** The same network for the same seed and rate; made once for all tests. */
function trained(seed: number, rate = 0.05): Promise<Uint8Array> {
  const key = `${seed} ${rate}`
  const model = models.get(key) ?? train(seed, rate)
  models.set(key, model)
  return model
}

const ensemble: EnsembleProgram = {
  // Nobody is to be thought dead because this machine is busy.
  leaseMs: 1_000_000,
  member: (index) => trained(100 + index),
  async *heldOut() {
    for (let i = 0; i < 4; i++) {
      const { x, label } = points(1000 + i, 45)
      yield { feeds: { x }, labels: label }
    }
  },
}
const program = defineProgram({ ensemble })

const begin = (settings: Readonly<Record<string, Json>>, jobs: Readonly<Record<string, MemoryJob>> = {}) =>
  new MemoryJob({ kind: 'ensemble', settings }, jobs)
const done = { kind: 'done' }
const all = (job: MemoryJob, count = 3) =>
  Promise.all(Array.from({ length: count }, (_, i) => runTask(program, job.task(i), quickMeans)))
interface Result {
  readonly ensemble: { readonly accuracy: number; readonly logLoss: number }
  readonly best: { readonly name: string; readonly accuracy: number; readonly logLoss: number }
  readonly members: readonly { readonly name: string; readonly accuracy: number; readonly logLoss: number }[]
  readonly weights?: readonly number[]
}
const resultOf = (job: MemoryJob): Result => job.value('result') as unknown as Result
const modelOf = (job: MemoryJob) =>
  loadModel(job.blobs.get((job.value('models/model') as { hash: string }).hash)!)
const said = (job: MemoryJob, what: RegExp) =>
  job.told.flatMap((told) => (told.kind === 'log' && what.test(told.line) ? [told] : []))

describe('an ensemble', () => {
  it('is trained, asked and combined by all tasks, each piece once; it loses less than its members do on average', async () => {
    const job = begin({ members: 4 })
    expect(await all(job)).toEqual([done, done, done])
    for (const what of [/^member \d is trained$/, /^member \d was asked about 180 examples$/])
      expect(
        said(job, what)
          .map(({ line }) => line.split(' ')[1]!)
          .toSorted(),
      ).toEqual(['0', '1', '2', '3'])
    expect(said(job, /^the ensemble has/)).toHaveLength(1)
    // Nobody did everything.
    expect(new Set(said(job, /member/).map(({ task }) => task)).size).toBe(3)
    const { ensemble: whole, best, members } = resultOf(job)
    expect(members.map(({ name }) => name)).toEqual(['member 0', 'member 1', 'member 2', 'member 3'])
    expect(best.accuracy).toBe(Math.max(...members.map(({ accuracy }) => accuracy)))
    // By the inequality of Jensen it is so for every mean of probabilities.
    const losses = members.map(({ logLoss }) => logLoss)
    expect(whole.logLoss).toBeLessThan(losses.reduce((sum, loss) => sum + loss) / losses.length)
    expect(whole.accuracy).toBeGreaterThan(Math.min(...members.map(({ accuracy }) => accuracy)))
    const { signature, metadata } = modelOf(job)
    expect(Object.keys(signature.inputs)).toEqual(['x'])
    expect(metadata['accuracy']).toBe(String(whole.accuracy))
  })

  it.each(['vote', 'weights', 'stacking'] as const)('is combined by %s', async (combine) => {
    const job = begin({ members: 3, combine })
    expect(await all(job, 1)).toEqual([done])
    const { ensemble: whole, weights } = resultOf(job)
    expect(whole.accuracy).toBeGreaterThan(0.5)
    expect(modelOf(job).metadata['combine']).toBe(combine)
    expect(weights !== undefined).toBe(combine === 'weights')
    expect((weights ?? [1]).reduce((sum, weight) => sum + weight)).toBeCloseTo(1, 6)
  })

  it('is made of the best trials of a search', async () => {
    const search = new MemoryJob({ kind: 'search' })
    const searching = defineProgram({
      search: {
        space: { rate: float(0.001, 0.1, { log: true }) },
        direction: 'maximize',
        sampler: randomSampler(),
        trials: 5,
        async objective({ params, number }, task) {
          // The best of all has no model.
          if (number === 4) return 2
          await task.saveModel(await trained(number, params.rate))
          return number === 1 ? 0.1 : 1 - number / 10
        },
      },
    })
    expect(await runTask(searching, search.task(0), quickMeans)).toEqual(done)
    const of = 'j-aaaaaaaaaaaa'
    const job = begin({ of, best: 2 }, { [of]: search })
    expect(await all(job, 2)).toEqual([done, done])
    expect(resultOf(job).members.map(({ name }) => name)).toEqual(['trial 0', 'trial 2'])
    const greedy = begin({ of, best: 5 }, { [of]: search })
    expect(await all(greedy, 1)).toMatchObject([
      { message: expect.stringContaining('has 4 complete trials with a model, 5 are wanted') as string },
    ])
  })

  it('is made although tasks die at every stage, and what was done before is not done again', async () => {
    const job = begin({ members: 3 })
    const undisturbed = begin({ members: 3 })
    await all(undisturbed, 1)
    // Each of these dies when it has made something that is not told of yet.
    const stages = ['members/1', 'predictions/1', 'result'] as const
    const mortal = defineProgram({ ensemble: { ...ensemble, leaseMs: 10_000 } })
    for (const [index, stage] of stages.entries()) {
      const dying = job.task(index)
      const died = Promise.withResolvers<void>()
      job.onWrite = ({ key }) => {
        if (key !== stage) return
        dying.kill()
        died.resolve()
      }
      void runTask(mortal, dying, quickMeans)
      await died.promise
    }
    job.onWrite = undefined
    expect(await runTask(mortal, job.task(3), quickMeans)).toEqual(done)
    expect(job.value('result')).toEqual(undisturbed.value('result'))
    expect(said(job, /^member 0 is trained$/)).toHaveLength(1)
    expect(said(job, /^member 0 was asked/)).toHaveLength(1)
  })

  it('gives a member back that could not be trained, for the next attempt', async () => {
    const job = begin({ members: 2 })
    const failing = defineProgram({
      ensemble: {
        ...ensemble,
        member: (index) => (index === 1 ? Promise.reject(new RangeError('no such data')) : trained(index)),
      },
    })
    expect(await runTask(failing, job.task(0), quickMeans)).toEqual({
      kind: 'failed',
      message: 'RangeError: no such data',
    })
    expect(await runTask(program, job.task(0, { attempt: 1 }), quickMeans)).toEqual(done)
    expect(resultOf(job).members).toHaveLength(2)
  })

  it.each([
    [{}, 'say what the ensemble is made of'],
    [{ members: 0 }, 'members is 0; it is a whole number'],
    [{ members: 2, of: 'j-aaaaaaaaaaaa' }, 'give `of` or `members`'],
    [{ members: 2, combine: 'luck' }, 'combine is "luck"; it is one of mean, vote, weights, stacking'],
    [{ of: 'j-aaaaaaaaaaaa', best: '3' }, 'best is "3"'],
  ] as const)('refuses settings %j', async (settings, message) => {
    expect(await all(begin(settings), 1)).toMatchObject([
      { kind: 'failed', message: expect.stringContaining(message) as string },
    ])
  })

  it('says what its program lacks, or gives that does not fit', async () => {
    const failure = async (part: Partial<EnsembleProgram>) => {
      const end = await runTask(
        { ensemble: { ...ensemble, ...part } },
        begin({ members: 1 }).task(0),
        quickMeans,
      )
      return end.kind === 'failed' ? end.message : end.kind
    }
    expect(await failure({ member: undefined as never })).toContain('the program trains no members')
    expect(await failure({ member: async () => Uint8Array.of(1, 2) })).toContain('ModelError')
    expect(await failure({ async *heldOut() {} })).toContain('heldOut gives no examples')
    const uneven: EnsembleProgram['heldOut'] = async function* () {
      yield { feeds: { x: points(1, 6).x }, labels: points(1, 3).label }
    }
    expect(await failure({ heldOut: uneven })).toContain('heldOut gives 3 labels for 6 predictions')
  })
})
