// Ensembles: what they answer, that they are models like any other, and that they are better than their members.
import { readFileSync } from 'node:fs'
import type { DType, FeedValue, NDArray, Shape } from '@shoal/core'
import {
  add,
  cast,
  constant,
  matmul,
  mul,
  ndarray,
  placeholder,
  Session,
  softmax,
  sparseSoftmaxCrossEntropy,
  statelessNormal,
  tanh,
  variable,
} from '@shoal/core'
import { readCsv } from '@shoal/data'
import { beforeAll, describe, expect, it } from 'vitest'
import { ModelError } from '../model/errors.ts'
import { encodeModel, loadModel } from '../model/modelFile.ts'
import { predictor } from '../model/predictor.ts'
import type { SavedModel } from '../model/savedModel.ts'
import { captureModel } from '../model/savedModel.ts'
import { adam } from '../optimizers/adam.ts'
import type { EnsembleOptions } from './ensembleModels.ts'
import { ensembleModels } from './ensembleModels.ts'
import { judge } from './judge.ts'
import { learnStacking } from './stacking.ts'
import { learnWeights } from './weights.ts'

/** A model that answers what it knows, plus x. */
async function says(
  rows: readonly (readonly number[])[],
  { output = 'p', shape = [] as Shape, dtype = 'float32' as DType } = {},
): Promise<SavedModel> {
  await using session = new Session()
  const known = variable(rows, { name: 'known' })
  await session.initialize(known)
  const x = placeholder({ shape, dtype, name: 'x' })
  return await captureModel({ session, outputs: { [output]: add(known, cast(x, { to: 'float32' })) } })
}

async function ask(model: SavedModel, feeds: Record<string, FeedValue>): Promise<NDArray> {
  await using ready = await predictor(model)
  return Object.values(await ready.predict(feeds))[0]!
}

/** What an ensemble answers where x is 0. */
const answer = async (members: readonly SavedModel[], options: EnsembleOptions): Promise<unknown> =>
  (await ask(ensembleModels(members, options), { x: 0 })).toArray()

describe('an ensemble', () => {
  it('answers the mean', async () => {
    const members = [
      await says([[0.5, 0.5]]),
      await says([[1, 0]]),
      await says([[0, 1]]),
      await says([[1, 0]]),
    ]
    expect(await answer(members, { combine: 'mean' })).toEqual([[0.625, 0.375]])
  })

  it('answers the share of votes, and breaks ties for the lowest class', async () => {
    const members = [
      await says([
        [0.1, 0.2, 0.7],
        [0.3, 0.4, 0.3],
        [0.4, 0.4, 0.2],
      ]),
      await says([
        [0.6, 0.2, 0.2],
        [0.2, 0.5, 0.3],
        [0.2, 0.4, 0.4],
      ]),
      await says([
        [0.1, 0.1, 0.8],
        [0.9, 0.1, 0],
        [0, 0, 1],
      ]),
      await says([
        [0.5, 0.3, 0.2],
        [0.1, 0.8, 0.1],
        [0.5, 0, 0.5],
      ]),
    ]
    const shares = ensembleModels(members, { combine: 'vote' })
    const said = await ask(shares, { x: 0 })
    expect(said.toArray()).toEqual([
      [0.5, 0, 0.5],
      [0.25, 0.75, 0],
      [0.5, 0.25, 0.25],
    ])
    // In the first row classes 0 and 2 have two votes each.
    expect(judge(said, ndarray([0, 1, 0], 'int32')).accuracy).toBe(1)
  })

  it('weighs members, of whose weights only the ratios matter', async () => {
    const members = [await says([[1, 0]]), await says([[0, 1]])]
    expect(await answer(members, { combine: 'weights', weights: [3, 1] })).toEqual([[0.75, 0.25]])
    expect(await answer(members, { combine: 'weights', weights: [0, 8] })).toEqual([[0, 1]])
  })

  it('of ensembles, of one member, and of one model twice, is a model too', async () => {
    const [a, b] = [await says([[2]]), await says([[4]])]
    const pair = ensembleModels([a, b], { combine: 'mean' })
    const both = ensembleModels([pair, a, a], { combine: 'mean' })
    expect([...both.values.keys()]).toEqual([
      'member0/member0/known',
      'member0/member1/known',
      'member1/known',
      'member2/known',
    ])
    expect((await ask(both, { x: 3 })).item()).toBeCloseTo((3 + 2 + 2) / 3 + 3, 6)
    expect(await answer([a], { combine: 'mean' })).toEqual([[2]])
  })

  it('takes every input that a member takes, and leaves out what only other outputs need', async () => {
    await using session = new Session()
    const [x, z] = [placeholder({ shape: [], name: 'x' }), placeholder({ shape: [], name: 'z' })]
    const idle = variable(1, { name: 'idle' })
    await session.initialize(idle)
    const outputs = { p: mul(constant([[1]], 'float32'), z), other: mul(x, idle) }
    const rich = await captureModel({ session, outputs })
    const ensemble = ensembleModels([await says([[1]]), rich], { combine: 'mean', output: 'p' })
    expect(Object.keys(ensemble.inputs)).toEqual(['x', 'z'])
    expect([...ensemble.values.keys()]).toEqual(['member0/known'])
    expect((await ask(ensemble, { x: 2, z: 5 })).toArray()).toEqual([[4]])
    expect(() => ensembleModels([rich], { combine: 'mean' })).toThrow(
      'members have the outputs p, other: say',
    )
  })

  it.each([
    ['without members', [], { combine: 'mean' }, 'at least one member'],
    [
      'of members with other outputs',
      [[[[1]]], [[[1]], { output: 'q' }]],
      { combine: 'mean' },
      "member 1 has no output 'p', it has q",
    ],
    [
      'of members with outputs of other shapes',
      [[[[1]]], [[[1, 2]]]],
      { combine: 'mean' },
      "output 'p' of member 1 is float32[1, 2], that of members before it float32[1, 1]",
    ],
    [
      'of members with inputs of other dtypes',
      [[[[1]]], [[[1]], { dtype: 'int32' }]],
      { combine: 'mean' },
      "input 'x' of member 1 is int32[], that of members before it float32[]",
    ],
    [
      'of members with inputs of other shapes',
      [[[[1]]], [[[1]], { shape: [1] }]],
      { combine: 'mean' },
      "input 'x' of member 1 is float32[1]",
    ],
    [
      'with too few weights',
      [[[[1]]], [[[1]]]],
      { combine: 'weights', weights: [1] },
      'there are 1 weights for 2 members',
    ],
    [
      'with a negative weight',
      [[[[1]]], [[[1]]]],
      { combine: 'weights', weights: [2, -1] },
      'they must be numbers from 0',
    ],
    ['with weights of 0', [[[[1]]]], { combine: 'weights', weights: [0] }, 'not all of them 0'],
    ['by a way that there is not', [[[[1]]]], { combine: 'sum' }, "there is no way 'sum' to combine"],
    [
      'by a stacking of others',
      [[[[1, 0]]]],
      {
        combine: 'stacking',
        stacking: {
          weights: ndarray([
            [1, 0],
            [0, 1],
            [1, 0],
            [0, 1],
          ]),
          bias: ndarray([0, 0]),
        },
      },
      '1 members with 2 classes need float32[2, 2]',
    ],
  ] as [string, Parameters<typeof says>[], EnsembleOptions, string][])(
    'is none %s',
    async (_, parts, options, message) => {
      const members = await Promise.all(parts.map((part) => says(...part)))
      expect(() => ensembleModels(members, options)).toThrow(ModelError)
      expect(() => ensembleModels(members, options)).toThrow(message)
    },
  )

  it('of numbers takes weights that were learnt by least squares', async () => {
    const values = [
      [[6], [7]],
      [[3], [7]],
    ]
    const weights = learnWeights(
      values.map((rows) => ndarray(rows)),
      ndarray([[5], [6]]),
    )
    const members = await Promise.all(values.map((rows) => says(rows)))
    const [[first], [second]] = (await answer(members, { combine: 'weights', weights })) as [
      [number],
      [number],
    ]
    expect(first).toBeCloseTo(5, 5)
    expect(second).toBeCloseTo(7, 5)
  })
})

describe('three small networks on irises', () => {
  const columns = ['sepal_length_cm', 'sepal_width_cm', 'petal_length_cm', 'petal_width_cm']
  interface Part {
    readonly x: NDArray
    readonly y: NDArray
  }
  let [learning, held, unseen] = [] as unknown as [Part, Part, Part]
  let members: SavedModel[]

  beforeAll(async () => {
    const iris = await readCsv(
      new Uint8Array(readFileSync(new URL('../../../../datasets/iris.csv', import.meta.url))),
      {
        columns: Object.fromEntries([...columns, 'target'].map((name) => [name, 'float32' as const])),
      },
    )
    // Classes stand one after the other: every third flower has as many of each.
    ;[learning, held, unseen] = [0, 1, 2].map((part): Part => {
      const every = (name: string): number[] => iris[name]!.numbers().filter((_, i) => i % 3 === part)
      const features = columns.map(every)
      return {
        x: ndarray(features[0]!.map((_, i) => features.map((f) => f[i]! / 4))),
        y: ndarray(every('target'), 'int32'),
      }
    }) as [Part, Part, Part]
    members = await Promise.all([1, 2, 3].map(trained))
  })

  async function trained(seed: number): Promise<SavedModel> {
    await using session = new Session()
    const x = placeholder({ shape: ['batch', 4], name: 'x' })
    const weight = (name: string, key: number, shape: number[]) =>
      variable(statelessNormal(constant([seed, key], 'uint32'), { shape }), { name })
    const hidden = tanh(matmul(x, weight('hidden', 0, [4, 4])))
    const scores = add(matmul(hidden, weight('scores', 1, [4, 3])), variable([0, 0, 0], { name: 'bias' }))
    const step = adam({ learningRate: 0.1 }).minimize(
      sparseSoftmaxCrossEntropy(scores, learning.y, { reduction: 'mean' }),
    )
    await session.initialize(step)
    for (let i = 0; i < 40; i++) await session.run(step, { x: learning.x })
    return await captureModel({ session, outputs: { probabilities: softmax(scores) } })
  }

  it('are together better than one by one, in whatever way they are combined', async () => {
    const heldOut = await Promise.all(members.map((member) => ask(member, { x: held.x })))
    const alone = (await Promise.all(members.map((member) => ask(member, { x: unseen.x })))).map((said) =>
      judge(said, unseen.y),
    )
    const mean = alone.reduce((sum, { logLoss }) => sum + logLoss, 0) / alone.length
    const ways: EnsembleOptions[] = [
      { combine: 'mean' },
      { combine: 'weights', weights: learnWeights(heldOut, held.y) },
      { combine: 'stacking', stacking: await learnStacking(heldOut, held.y) },
    ]
    for (const way of ways) {
      const ensemble = ensembleModels(members, way)
      const said = await ask(ensemble, { x: unseen.x })
      const { accuracy, logLoss } = judge(said, unseen.y)
      expect(logLoss, way.combine).toBeLessThan(mean)
      expect(accuracy, way.combine).toBeGreaterThan(0.9)
      // Saved and loaded it answers the same numbers.
      expect((await ask(loadModel(encodeModel(ensemble)), { x: unseen.x })).data).toEqual(said.data)
    }
  })
})
