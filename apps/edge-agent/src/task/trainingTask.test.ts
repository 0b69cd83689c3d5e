import {
  add,
  constant,
  device,
  fill,
  matmul,
  mean,
  ndarray,
  placeholder,
  square,
  sub,
  threefry,
  variable,
} from '@shoal/core'
import { monitoredSession, replicaDeviceSetter } from '@shoal/distributed'
import { allVariables, gradientDescent } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import { hashOf } from '../blobs/hash.ts'
import { defineProgram } from './program.ts'
import { runTask } from './runTask.ts'
import { MemoryJob } from './testing/memoryJob.ts'
import type { TrainingTask } from './trainingTask.ts'

/** Batch number i: y = 3 x₀ - 2 x₁ + 1. */
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

/** Workers at their own pace, on weights that parameter servers hold. */
const training = (steps: number, each: (task: TrainingTask, step: number) => void = () => {}) =>
  defineProgram({
    async train(task) {
      if (task.job === 'ps') return task.serve()
      const server = await task.server()
      const { cluster, name } = server.def
      const { loss, step, globalStep, w } = device(
        replicaDeviceSetter({ cluster, workerDevice: name }),
        () => {
          const globalStep = variable(constant(0, 'int32'), { name: 'globalStep', trainable: false })
          const w = variable(fill({ shape: [2, 1] }), { name: 'w' })
          const b = variable(0, { name: 'b' })
          const x = placeholder({ shape: ['batch', 2], name: 'x' })
          const y = placeholder({ shape: ['batch', 1], name: 'y' })
          const loss = mean(square(sub(add(matmul(x, w), b), y)))
          return {
            loss,
            w,
            globalStep,
            step: gradientDescent({ learningRate: 0.2 }).minimize(loss, { globalStep }),
          }
        },
      )
      const { checkpoints, lease } = task
      const session = { seed: 1 }
      const variables = allVariables(step, loss)
      await using training = await monitoredSession({
        server,
        variables,
        globalStep,
        checkpoints,
        lease,
        session,
        saveEverySteps: 10,
        signal: task.signal,
      })
      while (!training.shouldStop) {
        await training.run({ loss, step }, { ...batch(training.step) })
        each(task, training.step)
        if (training.step >= steps) training.stop('all steps are done')
      }
      if (training.isChief) await task.result({ w: (await training.session.run(w)).numbers() })
    },
  })

describe('a training task', () => {
  it('knows who it is, and says what it has to', async () => {
    const job = new MemoryJob({ cluster: { ps: 1, worker: 2 }, settings: { rate: 0.5 } })
    const seen: unknown[] = []
    const program = defineProgram({
      async train(task) {
        const { name, index, node, attempt, isChief, settings } = task
        seen.push({
          name,
          index,
          job: task.job,
          node,
          attempt,
          isChief,
          settings,
          cluster: task.cluster.toJSON(),
        })
        task.log('hello')
        task.metrics(3, { loss: 0.25 })
        await task.saveModel(Uint8Array.of(1, 2, 3), 'net')
        await task.result({ accuracy: 0.5 })
        seen.push([...(await task.loadModel('net'))])
        await expect(task.loadModel('other')).rejects.toThrow("no model at 'models/other' of this job")
        await expect(task.saveModel(Uint8Array.of(1), '../net')).rejects.toThrow(
          "'../net' cannot be the name",
        )
      },
    })
    expect(await runTask(program, job.task(1, { attempt: 2 }))).toEqual({ kind: 'done' })
    const cluster = { ps: ['ps:0'], worker: ['worker:0', 'worker:1'] }
    const settings = { rate: 0.5 }
    expect(seen).toEqual([
      {
        name: 'worker:1',
        index: 1,
        job: 'worker',
        node: 'node-1',
        attempt: 2,
        isChief: false,
        settings,
        cluster,
      },
      [1, 2, 3],
    ])
    expect(job.told).toEqual([
      { kind: 'log', task: 'worker:1', line: 'hello' },
      { kind: 'metrics', task: 'worker:1', step: 3, values: { loss: 0.25 } },
    ])
    expect(job.value('result')).toEqual({ accuracy: 0.5 })
  })

  it('reads the files of its datasets, shard by shard', async () => {
    const shards = ['first ', 'and second'].map((text) => new TextEncoder().encode(text))
    const manifest = {
      files: [
        {
          path: 'notes/a.txt',
          bytes: 16,
          shards: shards.map((bytes) => ({ hash: hashOf(bytes), bytes: bytes.length })),
        },
      ],
    }
    const job = new MemoryJob({ datasets: { notes: manifest } })
    for (const bytes of shards) job.blobs.set(hashOf(bytes), bytes)
    const program = defineProgram({
      async train(task) {
        const notes = task.dataset('notes')
        const text = new TextDecoder().decode(await notes.read('notes/a.txt'))
        await task.result({ files: notes.files.map(({ path }) => path), text })
        expect(() => task.dataset('digits')).toThrow("the job has no dataset 'digits': it has notes")
        expect(() => notes.file('b')).toThrow("the dataset has no file 'b'")
      },
    })
    expect(await runTask(program, job.task(0))).toEqual({ kind: 'done' })
    expect(job.value('result')).toEqual({ files: ['notes/a.txt'], text: 'first and second' })
  })

  it('trains with parameter servers, which end when they are asked to', async () => {
    const job = new MemoryJob({ cluster: { ps: 1, worker: 2 } })
    const ps = job.task(0, { job: 'ps' })
    const serving = runTask(training(60), ps)
    const workers = [0, 1].map((index) => runTask(training(60), job.task(index)))
    expect(await Promise.all(workers)).toEqual([{ kind: 'done' }, { kind: 'done' }])
    ps.stop()
    expect(await serving).toEqual({ kind: 'stopped' })
    const { w } = job.value('result') as { w: number[] }
    expect(w[0]).toBeCloseTo(3, 0)
    expect(w[1]).toBeCloseTo(-2, 0)
  })

  it('goes on from a checkpoint of another node, with another worker as chief when the first is dead', async () => {
    const job = new MemoryJob({ cluster: { ps: 1, worker: 2 } })
    const first = [job.task(0, { job: 'ps' }), job.task(0), job.task(1)]
    const broken = Promise.withResolvers<void>()
    const mortal = training(60, (task, step) => {
      if (task.index === 0 && step >= 25) for (const one of first) one.kill()
      if (task.index === 0 && step >= 25) broken.resolve()
    })
    for (const one of first) void runTask(mortal, one)
    await broken.promise
    // The next attempt: its first worker dies, and the other one becomes chief, as its agent tells it.
    const [ps, dying, other] = [
      job.task(0, { job: 'ps', attempt: 1 }),
      job.task(0, { attempt: 1 }),
      job.task(1, { attempt: 1 }),
    ]
    const serving = runTask(training(60), ps)
    void runTask(
      training(60, (_, step) => {
        if (step < 40) return
        dying.kill()
        job.tellLiving()
      }),
      dying,
    )
    expect(await runTask(training(60), other)).toEqual({ kind: 'done' })
    const lines = job.told.flatMap((told) => (told.kind === 'log' ? [told.line] : []))
    expect(lines.find((line) => line.includes('restored the checkpoint of step'))).toMatch(
      /worker.task:0.* step 2\d/,
    )
    expect(lines.filter((line) => line.includes('is chief, by lease')).at(-1)).toContain('/job:worker/task:1')
    expect(job.value('result')).toHaveProperty('w')
    ps.stop()
    await serving
  })

  it('fails with the error of its program, and prints where it was', async () => {
    const job = new MemoryJob()
    const failing = defineProgram({ train: () => Promise.reject(new RangeError('nothing to learn')) })
    expect(await runTask(failing, job.task(0))).toEqual({
      kind: 'failed',
      message: 'RangeError: nothing to learn',
    })
    const lines = job.told.flatMap((told) => (told.kind === 'log' ? [told.line] : []))
    expect(lines[0]).toBe('RangeError: nothing to learn')
    expect(lines[1]).toContain('trainingTask.test.ts')
  })
})
