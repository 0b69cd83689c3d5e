import {
  matmul,
  mean,
  ndarray,
  placeholder,
  Session,
  square,
  sub,
  UninitializedError,
  ValueError,
  variable,
} from '@shoal/core'
import type { NDArray } from '@shoal/core'
import { Dataset } from '@shoal/data'
import { describe, expect, it } from 'vitest'
import type { Hook } from './hook.ts'
import { stopAtStep } from './hooks/stopAtStep.ts'
import { adam } from './optimizers/adam.ts'
import { evaluate, train } from './train.ts'
import { allVariables } from './variables.ts'

/** Four batches of two: y = 2 x1 - x2. */
const rows = Array.from({ length: 8 }, (_, i) => [i / 8, ((i * 5) % 8) / 8])
const table = { x: ndarray(rows), y: ndarray(rows.map(([a, b]) => [2 * a! - b!])) }
const data = Dataset.fromTensors(table).shuffle({ seed: 3 }).batch(2)
type Batch = { readonly x: NDArray; readonly y: NDArray }
const feed = ({ x, y }: Batch) => ({ x, y })

function linear(learningRate = 0.1) {
  const w = variable([[0], [0]], { name: 'w' })
  const x = placeholder({ shape: ['batch', 2], name: 'x' })
  const y = placeholder({ shape: ['batch', 1], name: 'y' })
  const loss = mean(square(sub(matmul(x, w), y)))
  const step = adam({ learningRate }).minimize(loss)
  return { w, loss, step, variables: allVariables(step) }
}

const recorder = (): { events: string[]; hook: Hook } => {
  const events: string[] = []
  return {
    events,
    hook: {
      begin: () => void events.push('begin'),
      epochBegin: (run) => void events.push(`epoch ${run.epoch} begins at ${run.batch}`),
      beforeRun: (run) => void events.push(`before ${run.step}`),
      afterRun: (run) => void events.push(`after ${run.step}`),
      epochEnd: (run) => void events.push(`epoch ${run.epoch} ends`),
      end: (_, error) => void events.push(error instanceof Error ? `end: ${error.message}` : 'end'),
    },
  }
}

describe('training', () => {
  it('learns, and tells the means of each epoch', async () => {
    await using session = new Session()
    const { w, loss, step } = linear()
    await session.initialize(step)
    const before = await evaluate({ session, fetches: { loss }, data, feed })
    const history = await train({ session, step, fetches: { loss, w }, data, feed, epochs: 40 })
    expect(history.epochs).toHaveLength(40)
    expect(history.epochs.at(-1)).toMatchObject({
      epoch: 39,
      step: 160,
      metrics: { loss: expect.any(Number) as number },
    })
    expect(Object.keys(history.epochs[0]!.metrics)).toEqual(['loss'])
    expect((await evaluate({ session, fetches: { loss }, data, feed }))['loss']!).toBeLessThan(
      before['loss']! / 100,
    )
    const [a, b] = (await session.run(w)).numbers()
    expect([a, b]).toEqual([expect.closeTo(2, 0), expect.closeTo(-1, 0)])
  })

  it('gives the same run again, and goes on where it was resumed', async () => {
    const { w, loss, step, variables } = linear()
    const whole = async (session: Session): Promise<number[]> => (await session.run(w)).numbers()
    await using first = new Session()
    await first.initialize(step)
    await train({ session: first, step, fetches: { loss }, data, feed, epochs: 3 })
    await using second = new Session()
    await second.initialize(step)
    const { stopped, steps } = await train({
      session: second,
      step,
      fetches: { loss },
      data,
      feed,
      epochs: 3,
      hooks: [stopAtStep(6)],
    })
    expect([stopped, steps]).toEqual(['6 steps are done', 6])
    const { events, hook } = recorder()
    await train({
      session: second,
      step,
      fetches: { loss },
      data,
      feed,
      epochs: 3,
      startStep: 6,
      hooks: [hook],
    })
    expect(events.slice(0, 4)).toEqual(['begin', 'epoch 1 begins at 2', 'before 6', 'after 7'])
    expect(await whole(second)).toEqual(await whole(first))
    expect((await second.run(variables.find((v) => v.name === 'adam/step')!)).item()).toBe(12)
  })

  it('calls hooks around everything, and at the end in any case', async () => {
    await using session = new Session()
    const { loss, step } = linear()
    const options = { session, step, fetches: { loss }, data: data.take(1), feed, epochs: 1 }
    const good = recorder()
    const bad = recorder()
    await expect(train({ ...options, hooks: [bad.hook] })).rejects.toThrow(UninitializedError)
    expect(bad.events.slice(0, 3)).toEqual(['begin', 'epoch 0 begins at 0', 'before 0'])
    expect(bad.events.at(-1)).toContain('has no value yet')
    await session.initialize(step)
    await train({ ...options, hooks: [good.hook] })
    expect(good.events).toEqual([
      'begin',
      'epoch 0 begins at 0',
      'before 0',
      'after 1',
      'epoch 0 ends',
      'end',
    ])
  })

  it('ends when its signal aborts', async () => {
    await using session = new Session()
    const { loss, step } = linear()
    await session.initialize(step)
    const controller = new AbortController()
    const { events, hook } = recorder()
    const abort: Hook = { afterRun: (run) => void (run.step === 2 && controller.abort(new Error('enough'))) }
    await expect(
      train({
        session,
        step,
        fetches: { loss },
        data,
        feed,
        epochs: 9,
        signal: controller.signal,
        hooks: [abort, hook],
      }),
    ).rejects.toThrow('enough')
    expect(events.slice(-2)).toEqual(['after 2', 'end: enough'])
  })

  it('hides nothing of training behind what validation finds', async () => {
    await using session = new Session()
    const { loss, step } = linear()
    await session.initialize(step)
    const validate = async () => ({ loss: -1, right: 0.5 })
    const { epochs } = await train({ session, step, fetches: { loss }, data, feed, epochs: 1, validate })
    const { metrics } = epochs[0]!
    expect(metrics).toMatchObject({ 'validation loss': -1, right: 0.5 })
    expect(metrics['loss']).toBeGreaterThan(0)
  })

  it('counts each batch the same, or as much as it is told to', async () => {
    await using session = new Session()
    const x = placeholder({ shape: ['n'], name: 'x' })
    const step = variable(0, { name: 'n' }).assignAdd(1).node
    await session.initialize(step)
    const uneven = Dataset.fromTensors({ x: ndarray([1, 1, 1, 5]) }).batch(3)
    const options = { session, fetches: { x: mean(x) }, data: uneven }
    const weight = (batch: { readonly x: NDArray }) => batch.x.shape[0]!
    expect(await evaluate(options)).toEqual({ x: 3 })
    expect(await evaluate({ ...options, weight })).toEqual({ x: 2 })
    const { epochs } = await train({ ...options, step, epochs: 1, weight })
    expect(epochs[0]!.metrics).toEqual({ x: 2 })
    await expect(evaluate({ ...options, weight: () => Number.NaN })).rejects.toThrow(
      'the weight of a batch is NaN',
    )
  })

  it('tells whole epochs from those that left batches out', async () => {
    await using session = new Session()
    const { loss, step } = linear()
    await session.initialize(step)
    const options = { session, step, fetches: { loss }, data, feed, epochs: 3 }
    const partial = async (more: object) =>
      (await train({ ...options, ...more })).epochs.map((epoch) => epoch.partial)
    expect(await partial({ hooks: [stopAtStep(6)] })).toEqual([false, true])
    expect(await partial({ hooks: [stopAtStep(8)] })).toEqual([false, false])
    expect(await partial({ startStep: 6 })).toEqual([true, false])
  })

  it('does not take nothing for data', async () => {
    await using session = new Session()
    const { loss, step } = linear()
    await session.initialize(step)
    const options = { session, step, fetches: { loss }, feed, epochs: 1 }
    for (const none of [data.take(0), data.filter(() => false)]) {
      await expect(train({ ...options, data: none })).rejects.toThrow(ValueError)
      await expect(evaluate({ ...options, data: none })).rejects.toThrow('nothing to evaluate')
    }
  })

  it('says what it cannot do', async () => {
    await using session = new Session()
    const { loss, step } = linear()
    const options = { session, step, fetches: { loss }, data, feed, epochs: 1 }
    await expect(train({ ...options, epochs: -1 })).rejects.toThrow(ValueError)
    await expect(train({ ...options, startStep: 3, data: data.filter(() => true) })).rejects.toThrow(
      'size is known',
    )
  })
})
