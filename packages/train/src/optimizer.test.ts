import type { Nested } from '@shoal/core'
import {
  cast,
  add,
  AttrError,
  constant,
  controlDependencies,
  DTypeError,
  effectsOf,
  gather,
  GradientError,
  group,
  IndexedSlices,
  matmul,
  mul,
  ndarray,
  NDArray,
  placeholder,
  Session,
  ShapeError,
  ValueError,
  square,
  sum,
  toposort,
  variable,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Optimizer } from './optimizer.ts'
import { lossGradients } from './optimizer.ts'
import { adadelta } from './optimizers/adadelta.ts'
import { adagrad } from './optimizers/adagrad.ts'
import { adam } from './optimizers/adam.ts'
import { adamax } from './optimizers/adamax.ts'
import { adamW } from './optimizers/adamW.ts'
import { ftrl } from './optimizers/ftrl.ts'
import { gradientDescent } from './optimizers/gradientDescent.ts'
import { momentum } from './optimizers/momentum.ts'
import { proximalAdagrad } from './optimizers/proximalAdagrad.ts'
import { rmsProp } from './optimizers/rmsProp.ts'
import { exponentialDecay } from './schedules.ts'
import { allVariables, trainableVariables } from './variables.ts'

const table = [
  [1, 2],
  [3, 4],
  [5, 6],
  [7, 8],
]

describe('an optimizer', () => {
  it('counts a step when it has been made: one whose gradients do not come is none', () => {
    const w = variable([1, 2], { name: 'w' })
    const globalStep = variable(constant(0, 'int32'), { name: 'globalStep', trainable: false })
    const optimizer = adam({ learningRate: 0.1 })
    const gradient = placeholder({ shape: [2], name: 'gradient' })
    const step = optimizer.apply([[gradient, w]], { globalStep })
    for (const counter of [globalStep, optimizer.variables[0]!]) {
      const counting = toposort({ fetches: [], targets: [step] }).find((node) =>
        effectsOf(node).writes.has(counter.resource),
      )!
      expect(toposort({ fetches: [], targets: [counting] })).toContain(gradient.node)
    }
  })

  it('finds what is trainable in the loss, and names its state after it', () => {
    const w = variable([1, 2], { name: 'layer/w' })
    const frozen = variable([3, 4], { name: 'frozen', trainable: false })
    const optimizer = adam({ learningRate: 0.1 })
    const step = optimizer.minimize(sum(square(mul(w, frozen))))
    expect(optimizer.variables.map((v) => v.name)).toEqual([
      'adam/step',
      'layer/w/adam/means',
      'layer/w/adam/squares',
    ])
    expect(
      allVariables(step)
        .map((v) => v.name)
        .sort(),
    ).toEqual(['adam/step', 'frozen', 'layer/w', 'layer/w/adam/means', 'layer/w/adam/squares'].sort())
    expect(trainableVariables(step).map((v) => v.name)).toEqual(['layer/w'])
  })

  it('changes only the variables that it is given', async () => {
    await using session = new Session()
    const [a, b] = [variable([1], { name: 'a' }), variable([2], { name: 'b' })]
    const loss = sum(mul(a, b))
    const step = gradientDescent({ learningRate: 1 }).minimize(loss, { variables: [b] })
    await session.initialize(step)
    await session.run(step)
    expect((await session.run([a, b])).map((x) => x.toArray())).toEqual([[1], [1]])
  })

  it('takes its rate from a schedule of its own steps, or of a global step that it counts', async () => {
    await using session = new Session()
    const v = variable(0, { name: 'v' })
    const globalStep = variable(constant(2, 'int64'), { name: 'globalStep', trainable: false })
    const learningRate = exponentialDecay({ initial: 1, steps: 1, factor: 0.5 })
    const own = gradientDescent({ learningRate, name: 'own' }).minimize(sum(mul(v, 1)))
    const global = gradientDescent({ learningRate, name: 'global' }).minimize(sum(mul(v, 1)), { globalStep })
    await session.initialize(own, global)
    for (const step of [own, own, global, global]) await session.run(step)
    expect((await session.run([v, globalStep])).map((x) => Number(x.item()))).toEqual([-1.875, 4])
  })

  it('counts in another variable, and follows another count, where it is told to', async () => {
    await using session = new Session()
    const v = variable([0], { name: 'v' })
    const counter = variable(6, { name: 'counter', dtype: 'int32', trainable: false })
    const optimizer = gradientDescent({ learningRate: (step) => cast(step, { to: 'float32' }) })
    const step = optimizer.apply([[constant([1]), v]], { counter, scheduled: constant(3, 'int32') })
    await session.initialize(step)
    await session.run(step)
    expect((await session.run([v, counter])).map((x) => x.numbers())).toEqual([[-3], [7]])
    expect(await session.isInitialized(optimizer.variables[0]!)).toBe(false)
  })

  it('takes its rate from a variable or a placeholder', async () => {
    await using session = new Session()
    const v = variable(0, { name: 'v' })
    const rate = variable(0.5, { name: 'rate', trainable: false })
    const fed = placeholder({ shape: [], name: 'rate' })
    const loss = mul(v, 1)
    const byVariable = gradientDescent({ learningRate: rate, name: 'a' }).minimize(loss)
    const byFeed = gradientDescent({ learningRate: fed, name: 'b' }).minimize(loss)
    await session.initialize(byVariable)
    await session.initialize(byFeed)
    await session.run(byVariable)
    await session.run(rate.assign(2))
    await session.run(byVariable)
    await session.run(byFeed, [[fed, 10]])
    expect((await session.run(v)).item()).toBe(-12.5)
  })

  it('reads variables after what its step waits for, but starts its slots before', async () => {
    await using session = new Session()
    const v = variable([1], { name: 'v' })
    const change = v.assignAdd([10])
    const step = controlDependencies([change], () =>
      momentum({ learningRate: 1 }).apply([[constant([2]), v]]),
    )
    await session.initialize(step)
    expect((await session.run(v)).toArray()).toEqual([1])
    await session.run(step)
    expect((await session.run(v)).toArray()).toEqual([9])
  })

  it('says what is wrong', () => {
    const v = variable([1, 2], { name: 'v' })
    const optimizer = gradientDescent({ learningRate: 0.1 })
    expect(() => optimizer.minimize(sum(constant([1, 2])))).toThrow(GradientError)
    expect(() => optimizer.minimize(sum(constant([1, 2])), { variables: [v] })).toThrow(
      'none of the variables',
    )
    expect(() => optimizer.apply([[constant([1, 2, 3]), v]])).toThrow(ShapeError)
    expect(() => optimizer.apply([[constant([1, 2], 'float64'), v]])).toThrow(DTypeError)
    expect(() => gradientDescent({ learningRate: Number.NaN })).toThrow(ValueError)
    expect(() => momentum({ learningRate: 1, momentum: 1 })).toThrow('must be at least 0 and below 1')
    expect(() => adagrad({ learningRate: 1, initialAccumulator: 0 })).toThrow(AttrError)
    expect(() => adam({ learningRate: 1, beta1: 0 })).toThrow('must be above 0')
    expect(() => ftrl({ learningRate: 1, power: 1 })).toThrow(AttrError)
  })

  // As plain JavaScript calls them, without a compiler to object.
  const kinds: Readonly<Record<string, (options: never) => unknown>> = {
    gradientDescent,
    momentum,
    adagrad,
    adadelta,
    rmsProp,
    adam,
    adamW,
    adamax,
    ftrl,
    proximalAdagrad,
  }
  it.each(Object.entries(kinds))('names the options of %s when it is given others', (kind, make) => {
    const start = `${kind} takes an object of options: learningRate, name`
    expect(() => make({ lr: 0.5 } as never)).toThrow(start)
    expect(() => make({ lr: 0.5 } as never)).toThrow("there is no 'lr'")
    expect(() => make({ learningRate: 0.5, beta: 1, decays: 2 } as never)).toThrow("no 'beta', no 'decays'")
    expect(() => make(undefined as never)).toThrow(start)
    expect(() => make({} as never)).toThrow(`${kind}: learningRate is missing`)
    expect(() => make({ learningRate: Number.NaN } as never)).toThrow('learningRate is NaN')
    expect(() => make({ learningRate: '0.5' } as never)).toThrow(ValueError)
    expect(() => make({ learningRate: () => constant(0.5) } as never)).not.toThrow()
  })
})

type Make = () => Optimizer
const makers: readonly (readonly [string, Make])[] = [
  ['gradientDescent', () => gradientDescent({ learningRate: 0.5 })],
  ['momentum', () => momentum({ learningRate: 0.5, nesterov: true })],
  ['adagrad', () => adagrad({ learningRate: 0.5 })],
  ['adadelta', () => adadelta({ learningRate: 0.5 })],
  ['rmsProp', () => rmsProp({ learningRate: 0.1, momentum: 0.5, centered: true })],
  ['rmsProp as torch has it', () => rmsProp({ learningRate: 0.1, momentum: 0.5, form: 'torch' })],
  ['adam', () => adam({ learningRate: 0.1 })],
  ['adamW', () => adamW({ learningRate: 0.1, weightDecay: 0.5 })],
  ['adamax', () => adamax({ learningRate: 0.1 })],
  ['ftrl', () => ftrl({ learningRate: 0.5, l1: 0.1, power: -0.4 })],
  ['proximalAdagrad', () => proximalAdagrad({ learningRate: 0.5, l2: 0.1 })],
]

/** Three steps with gradients given as rows, or as one whole tensor. */
async function threeSteps(
  make: Make,
  gradient: (embedding: ReturnType<typeof variable>) => Parameters<Optimizer['apply']>[0][0][0],
): Promise<Nested> {
  await using session = new Session()
  const embedding = variable(ndarray(table, 'float64'), { name: 'embedding' })
  const step = make().apply([[gradient(embedding), embedding]])
  await session.initialize(step)
  for (let i = 0; i < 3; i++) await session.run(step)
  return (await session.run(embedding)).toArray()
}

describe('sparse gradients', () => {
  it.each(makers)(
    '%s changes the rows that were read as a dense gradient would, and no others',
    async (_, make) => {
      const dense = (await threeSteps(make, () =>
        constant(
          [
            [4, 6],
            [0, 0],
            [-1, 2],
            [0, 0],
          ],
          'float64',
        ),
      )) as number[][]
      const sparse = (await threeSteps(
        make,
        (v) =>
          new IndexedSlices(
            constant(
              [
                [1, 2],
                [-1, 2],
                [3, 4],
                [100, 100],
              ],
              'float64',
            ),
            constant([0, 2, 0, 7], 'int32'),
            v.read(),
          ),
      )) as number[][]
      for (const row of [0, 2])
        sparse[row]!.forEach((x, i) => expect(Math.abs(x - dense[row]![i]!)).toBeLessThan(1e-12))
      expect([sparse[1], sparse[3]]).toEqual([table[1], table[3]])
      expect(sparse[0]).not.toEqual(table[0])
    },
  )

  it('come from gathers, also of a batch whose size only a run tells', async () => {
    await using session = new Session()
    const embedding = variable(table, { name: 'embedding' })
    const ids = placeholder({ shape: ['batch'], dtype: 'int32', name: 'ids' })
    const loss = sum(matmul(gather(embedding, ids), [[1], [10]]))
    expect(lossGradients(loss)[0]![0]).toBeInstanceOf(IndexedSlices)
    const step = gradientDescent({ learningRate: 1 }).minimize(loss)
    await session.initialize(step)
    await session.run(step, { ids: Int32Array.of(3, 1, 3) })
    await session.run(step, { ids: Int32Array.of(0) })
    await session.run(step, { ids: new NDArray('int32', [0], new Int32Array(0)) })
    expect((await session.run(embedding)).toArray()).toEqual([
      [0, -8],
      [2, -6],
      [5, 6],
      [5, -12],
    ])
  })

  it('take indices of 64 bits', async () => {
    await using session = new Session()
    const embedding = variable(table, { name: 'embedding' })
    const step = adagrad({ learningRate: 1, initialAccumulator: 3 }).minimize(
      sum(gather(embedding, constant([2n, 2n, -1n, 4n]))),
    )
    await session.initialize(step)
    await session.run(step)
    // 1 · 2 / √(3 + 2²)
    const moved = 2 / Math.sqrt(7)
    const [, , row] = (await session.run(embedding)).toArray() as number[][]
    expect(row).toEqual([expect.closeTo(5 - moved, 5), expect.closeTo(6 - moved, 5)])
    expect(((await session.run(embedding)).toArray() as number[][]).toSpliced(2, 1)).toEqual(
      table.toSpliced(2, 1),
    )
  })

  it('become dense when the variable is also read whole', async () => {
    await using session = new Session()
    const embedding = variable(table, { name: 'embedding' })
    const loss = add(sum(gather(embedding, [1])), sum(embedding))
    const step = gradientDescent({ learningRate: 1 }).minimize(loss)
    await session.initialize(step)
    await session.run(group(step))
    expect((await session.run(embedding)).toArray()).toEqual([
      [0, 1],
      [1, 2],
      [4, 5],
      [6, 7],
    ])
  })
})
