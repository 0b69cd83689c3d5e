import { add, fill, matmul, mean, ndarray, placeholder, square, sub, threefry, variable } from '@shoal/core'
import { Dataset } from '@shoal/data'
import { gradientDescent, momentum } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import { defineProgram } from './program.ts'
import { runTask } from './runTask.ts'
import { MemoryJob } from './testing/memoryJob.ts'
import { trainReplicas, type ReplicaOptions } from './trainReplicas.ts'
import type { TrainingTask } from './trainingTask.ts'

/** Something to learn with a known answer: y = 3 x₀ - 2 x₁ + 1. */
function model() {
  const w = variable(fill({ shape: [2, 1] }), { name: 'w' })
  const b = variable(0, { name: 'b' })
  const x = placeholder({ shape: ['batch', 2], name: 'x' })
  const y = placeholder({ shape: ['batch', 1], name: 'y' })
  return { loss: mean(square(sub(add(matmul(x, w), b), y))), w, b }
}

/** Batch number i of all, the same whenever it is made. */
function batch(number: number) {
  const x = Array.from({ length: 8 }, (_, i) =>
    threefry([number, 7], [i, 0]).map((bits) => (bits >>> 0) / 2 ** 31 - 1),
  )
  return {
    x: ndarray(x, 'float32'),
    y: ndarray(
      x.map(([a = 0, b = 0]) => [3 * a - 2 * b + 1]),
      'float32',
    ),
  }
}
const batches = Dataset.from(function* () {
  for (let i = 0; ; i++) yield batch(i)
}, Infinity)

type Batch = ReturnType<typeof batch>

/** A program that trains the model, and says what weights came of it; `also` changes what a task does. */
const training = (also: (task: TrainingTask) => Partial<ReplicaOptions<Batch>> = () => ({})) =>
  defineProgram({
    async train(task) {
      const { loss, w, b } = model()
      await using replica = await trainReplicas(task, {
        loss,
        optimizer: gradientDescent({ learningRate: 0.5 }),
        data: batches.shard(task.cluster.taskCount('worker'), task.index),
        steps: 30,
        saveEverySteps: 5,
        ...also(task),
      })
      const weights = (await replica.session.run([w, b])).flatMap((value) => value.numbers())
      task.log(`weights ${weights.join(' ')}`)
      if (!replica.isChief) return
      await task.saveModel(new Uint8Array(new Float32Array(weights).buffer))
      await task.result({ weights })
    },
  })

const begin = (worker: number) => new MemoryJob({ kind: 'train', cluster: { worker } })
const done = { kind: 'done' }
const said = (job: MemoryJob, what: string) =>
  job.told.flatMap((told) => (told.kind === 'log' && told.line.startsWith(what) ? [told.line] : []))
const all = (job: MemoryJob, program: unknown, attempt = 0) =>
  Promise.all([0, 1, 2].map((index) => runTask(program, job.task(index, { attempt }))))

describe('trainReplicas', () => {
  it('gives all tasks the same weights, bit by bit, and those are learnt', async () => {
    const job = begin(3)
    expect(await all(job, training())).toEqual([done, done, done])
    const weights = said(job, 'weights')
    expect(weights).toHaveLength(3)
    expect(new Set(weights).size).toBe(1)
    const { weights: learnt } = job.value('result') as { weights: number[] }
    ;[3, -2, 1].forEach((right, i) => expect(learnt[i]).toBeCloseTo(right, 1))
    expect(job.value('models/model')).toMatchObject({ bytes: 12 })
  })

  it('takes the steps that one task would take with all batches together', async () => {
    const [three, one] = [begin(3), begin(1)]
    const momentary = (): Partial<ReplicaOptions<Batch>> => ({
      optimizer: momentum({ learningRate: 0.05 }),
      steps: 6,
    })
    await all(three, training(momentary))
    const together = batches.batch(3).map(({ x, y }) => ({
      x: x.reshape([24, 2]),
      y: y.reshape([24, 1]),
    }))
    const whole = training(() => ({ ...momentary(), data: together as never }))
    expect(await runTask(whole, one.task(0))).toEqual(done)
    const [a, b] = [three, one].map((job) => (job.value('result') as { weights: number[] }).weights)
    a!.forEach((value, i) => expect(value).toBeCloseTo(b![i]!, 5))
  })

  it('goes on from the last checkpoint when the job is begun again, as if nothing had happened', async () => {
    const undisturbed = begin(3)
    await all(undisturbed, training())
    const job = begin(3)
    const tasks = [0, 1, 2].map((index) => job.task(index))
    // All nodes die while a later checkpoint than the first is being told of.
    let saved = 0
    job.onWrite = ({ key }) => {
      if (key === 'checkpoints' && ++saved === 3) for (const task of tasks) task.kill()
    }
    for (const task of tasks) void runTask(training(), task)
    await expect.poll(() => saved, { interval: 5, timeout: 20_000 }).toBe(3)
    job.onWrite = undefined
    expect(await all(job, training(), 1)).toEqual([done, done, done])
    expect(said(job, 'goes on from the checkpoint of step')).toEqual([
      'goes on from the checkpoint of step 15',
    ])
    expect(job.value('result')).toEqual(undisturbed.value('result'))
  })

  it('goes on without a task that dies, as long as more than half are left', async () => {
    const job = begin(3)
    const dying = job.task(1)
    const mortal = training(() => ({
      data: batches.map((one, i) => {
        if (i === 10) dying.kill()
        return one
      }),
    }))
    const others = [0, 2].map((index) => runTask(training(), job.task(index)))
    void runTask(mortal, dying)
    expect(await Promise.all(others)).toEqual([done, done])
    const weights = said(job, 'weights')
    expect(weights).toHaveLength(2)
    expect(new Set(weights).size).toBe(1)
  })

  it('reports numbers on the way and at the end', async () => {
    const job = begin(1)
    await runTask(
      training(() => ({ steps: 7, reportEverySteps: 3 })),
      job.task(0),
    )
    const reports = job.told.flatMap((told) => (told.kind === 'metrics' ? [told] : []))
    expect(reports.map(({ step }) => step)).toEqual([3, 6, 7])
    for (const { values } of reports)
      expect(values).toEqual({ loss: expect.any(Number), stepsPerSecond: expect.any(Number) })
  })

  it('stops when it is asked to', async () => {
    const job = begin(1)
    const task = job.task(0)
    const endless = training(() => ({
      steps: 1_000_000,
      data: batches.map((one, i) => {
        if (i === 3) task.stop()
        return one
      }),
    }))
    expect(await runTask(endless, task)).toEqual({ kind: 'stopped' })
    expect(job.value('result')).toBeUndefined()
  })

  it('says what is wrong: data that ends, and a task that only serves', async () => {
    const job = new MemoryJob({ kind: 'train', cluster: { worker: 1, ps: 1 } })
    const short = training(() => ({ data: batches.take(2) }))
    expect(await runTask(short, job.task(0))).toEqual({
      kind: 'failed',
      message:
        "ValueError: the data of 'worker:0' ended at step 2 of 30: repeat() it, or ask for fewer steps",
    })
    expect(await runTask(training(), job.task(0, { job: 'ps' }))).toMatchObject({
      message: "ValueError: 'ps:0' does not train, it serves: have it return task.serve()",
    })
  })

  it('begins nothing anew where there are checkpoints and none can be read', async () => {
    const job = begin(1)
    job.documents.set('checkpoints', {
      version: 1,
      value: [{ step: 3, hash: 'gone', bytes: 1, metrics: {}, attempt: 2 }],
    })
    expect(await runTask(training(), job.task(0, { attempt: 1 }))).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('no checkpoint that can be restored') as string,
    })
  })
})
