import type { Node } from '@shoal/core'
import {
  add,
  constant,
  div,
  log,
  matmul,
  mean,
  mul,
  NDArray,
  ndarray,
  NonFiniteError,
  placeholder,
  Session,
  square,
  sub,
  sum,
  UninitializedError,
  ValueError,
  variable,
} from '@shoal/core'
import { Dataset } from '@shoal/data'
import { describe, expect, it } from 'vitest'
import type { CheckpointFacts, Saver } from './checkpoint/saver.ts'
import type { Hook } from './hook.ts'
import { earlyStopping } from './hooks/earlyStopping.ts'
import { logging } from './hooks/logging.ts'
import { saveEvery } from './hooks/saveEvery.ts'
import { stopAtStep } from './hooks/stopAtStep.ts'
import { stopOnNonFinite } from './hooks/stopOnNonFinite.ts'
import { findNonFinite } from './nonFinite.ts'
import { adam } from './optimizers/adam.ts'
import { gradientDescent } from './optimizers/gradientDescent.ts'
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

/** A step that counts, and a metric that follows a script, one value per epoch. */
function scripted(values: readonly number[]) {
  const counter = variable(0, { name: 'counter' })
  const step: Node = counter.assignAdd(1).node
  const validate = async ({ epoch }: { epoch: number }) => ({ score: values[epoch]! })
  const one = Dataset.from([0])
  return { counter, step, validate, data: one, feed: () => ({}), fetches: {}, epochs: values.length }
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

  it('says what it cannot do', async () => {
    await using session = new Session()
    const options = { ...scripted([1]), session }
    await expect(train({ ...options, epochs: -1 })).rejects.toThrow(ValueError)
    await expect(
      train({ ...options, startStep: 3, data: Dataset.from([1]).filter(() => true) }),
    ).rejects.toThrow('size is known')
  })
})

describe('early stopping', () => {
  async function until(values: readonly number[], options: Partial<Parameters<typeof earlyStopping>[0]>) {
    await using session = new Session()
    const { counter, ...rest } = scripted(values)
    await session.initialize(counter)
    const hooks = [earlyStopping({ metric: 'score', restoreBest: [counter], ...options })]
    const { epochs, stopped } = await train({ session, ...rest, hooks })
    return { epochs: epochs.length, stopped, counter: (await session.run(counter)).item() }
  }
  it('waits as long as its patience, and restores the best', async () => {
    expect(await until([5, 4, 6, 4, 3, 7, 7, 7, 7], { patience: 2 })).toEqual({
      epochs: 8,
      stopped: 'score was not better than 3 for 3 epochs',
      counter: 5,
    })
  })
  it('wants more where more is better, and by more than minDelta', async () => {
    expect(await until([1, 2, 2.05, 9], { mode: 'max', minDelta: 0.1 })).toMatchObject({
      epochs: 3,
      counter: 2,
    })
  })
  it('never takes NaN for better', async () => {
    expect(await until([Number.NaN, 3, Number.NaN, Number.NaN], { patience: 1 })).toMatchObject({
      epochs: 4,
      counter: 2,
    })
  })
  it('names the metrics that there are', async () => {
    await expect(until([1], { metric: 'scroe' })).rejects.toThrow("watches 'scroe'; the epoch has score")
  })
})

describe('saving', () => {
  async function saves(options: {
    readonly steps?: number
    readonly epochs?: number
  }): Promise<CheckpointFacts[]> {
    await using session = new Session()
    const { loss, step, variables } = linear()
    await session.initialize(step)
    const facts: CheckpointFacts[] = []
    const saver: Saver = {
      save: async (_, saved, fact) => {
        expect(saved).toBe(variables)
        facts.push(fact)
      },
      restore: () => Promise.reject(new Error('not asked for')),
    }
    await train({
      session,
      step,
      fetches: { loss },
      data,
      feed,
      epochs: 3,
      hooks: [saveEvery({ saver, variables, ...options })],
    })
    return facts
  }
  it('happens every so many steps, and at the end', async () => {
    expect((await saves({ steps: 5 })).map((fact) => fact.step)).toEqual([5, 10, 12])
  })
  it('happens every so many epochs, with their metrics', async () => {
    const facts = await saves({ epochs: 2 })
    expect(facts.map((fact) => fact.step)).toEqual([8, 12])
    expect(facts[0]!.metrics).toEqual({ loss: expect.any(Number) as number })
    expect((await saves({})).map((fact) => fact.step)).toEqual([4, 8, 12])
  })
  it('refuses every 0 steps', async () => {
    await expect(saves({ steps: 0 })).rejects.toThrow(ValueError)
  })
})

describe('logging', () => {
  it('writes lines for steps and epochs', async () => {
    await using session = new Session()
    const x = placeholder({ shape: [], name: 'x' })
    const step = variable(0, { name: 'n' }).assignAdd(1).node
    const lines: string[] = []
    await session.initialize(step)
    await train({
      session,
      step,
      fetches: { x },
      data: Dataset.from([1, 2, 3, 4.5]),
      feed: (value) => ({ x: value }),
      epochs: 2,
      hooks: [logging({ everySteps: 2, log: (line) => lines.push(line) }), stopAtStep(6)],
    })
    expect(lines).toEqual([
      'step 2: x 1.500',
      'step 4: x 3.750',
      'epoch 1 of 2, step 4: x 2.625',
      'step 6: x 1.500',
      'epoch 2 of 2, step 6: x 1.500',
      'stopped: 6 steps are done',
    ])
  })
})

describe('values that are not finite', () => {
  /** sum(log(w · x)): -Infinity for x = 0, NaN for x < 0. */
  function fragile() {
    const w = variable([1, 2], { name: 'w' })
    const x = placeholder({ shape: [], name: 'x' })
    const loss = sum(add(log(mul(w, x)), constant([0, 0])))
    const step = gradientDescent({ learningRate: 0.1 }).minimize(loss)
    return { w, x, loss, step }
  }

  it('are traced to the node that made them', async () => {
    await using session = new Session()
    const { loss, step, x } = fragile()
    await session.initialize(step)
    expect(await findNonFinite(session, [loss, step], { x: 1 })).toBeUndefined()
    const found = await findNonFinite(session, [loss], { x: 0 })
    expect(found).toMatchObject({ value: Number.NEGATIVE_INFINITY, element: 0 })
    expect(found!.tensor.node.op.name).toBe('Log')
    expect(found!.message).toMatch(/^Log 'log' has -Infinity as element 0; its inputs \('mul'\) are finite$/)
    expect((await findNonFinite(session, [loss], [[x, Number.NaN]]))!.message).toBe(
      "Placeholder 'x' has NaN as element 0; it was fed so",
    )
  })

  it('pass constants and what is fed over', async () => {
    await using session = new Session()
    const never = placeholder({ shape: [], name: 'never' })
    const inner = log(never)
    const masked = add(inner, constant([0, Number.NEGATIVE_INFINITY]))
    expect((await findNonFinite(session, [div(1, masked)], [[inner, 1]]))!.tensor).toBe(masked)
  })

  it('end training, with the name of what is wrong', async () => {
    await using session = new Session()
    const { loss, step } = fragile()
    await session.initialize(step)
    const options = {
      session,
      step,
      fetches: { loss },
      data: Dataset.from([1, 2, -1, 3]),
      feed: (x: number) => ({ x }),
      epochs: 1,
    }
    const attempt = train({ ...options, hooks: [stopOnNonFinite()] })
    await expect(attempt).rejects.toThrow(NonFiniteError)
    await expect(attempt).rejects.toThrow("'loss' is NaN in step 3")
  })

  it('end training, with the node that made them and the variables as they were', async () => {
    await using session = new Session()
    const { w, loss, step } = fragile()
    await session.initialize(step)
    const find = { variables: allVariables(step), fetches: [loss, step] }
    const options = {
      session,
      step,
      fetches: { loss },
      data: Dataset.from([1, -1]),
      feed: (x: number) => ({ x }),
      epochs: 1,
    }
    const attempt = train({ ...options, hooks: [stopOnNonFinite({ find })] })
    await expect(attempt).rejects.toThrow(
      "'loss' is NaN in step 2: Log 'log' has NaN as element 0; its inputs ('mul') are finite",
    )
    expect((await session.run(w)).numbers()).toEqual([expect.closeTo(0.9), expect.closeTo(1.95)])
  })
})
