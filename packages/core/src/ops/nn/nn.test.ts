import { describe, expect, it } from 'vitest'
import { gradients } from '../../autodiff/gradients.ts'
import { Session } from '../../run/session.ts'
import { constant } from '../constant.ts'
import { placeholder } from '../graph/placeholder.ts'
import { scaledDotProductAttention } from './attention.ts'
import { biasAdd } from './biasAdd.ts'
import { dropout } from './dropout.ts'
import { embeddingLookupSparse } from './embedding.ts'
import { gelu } from './gelu.ts'
import { groupNorm } from './groupNorm.ts'
import { avgPool, maxPool } from './pooling.ts'
import { resizeBilinear } from './resize.ts'
import { softmax } from './softmax.ts'

const input = (...shape: (number | string)[]) => placeholder({ shape, dtype: 'float32' })

describe('pooling', () => {
  it('has windows side by side unless told otherwise', () => {
    expect(maxPool(input('batch', 6, 7, 3), 2).shape).toEqual(['batch', 3, 3, 3])
    expect(avgPool(input('batch', 6, 7, 3), 2, { strides: 1, padding: 'SAME' }).shape).toEqual([
      'batch',
      6,
      7,
      3,
    ])
  })
  it('wants one size for each spatial axis', () => {
    expect(() => maxPool(input(1, 6, 6, 3), [2, 2, 2])).toThrow(/must be 2 positive numbers/)
  })
  it('of nothing but padding is -Infinity, and 0 in the mean', async () => {
    const x = constant([[[1]]])
    const holes = { strides: 1, dilations: 3, padding: 'SAME' } as const
    await using session = new Session()
    const [max, mean] = await session.run([maxPool(x, 2, holes), avgPool(x, 2, holes)])
    expect([max.item(), mean.item()]).toEqual([-Infinity, 0])
  })
  it('answers NaN where one is', async () => {
    await using session = new Session()
    expect((await session.run(maxPool(constant([[[1], [Number.NaN], [2], [3]]]), 2))).numbers()).toEqual([
      Number.NaN,
      3,
    ])
  })
})

describe('resizing', () => {
  it('cannot align corners and have half pixels at once', () => {
    expect(() =>
      resizeBilinear(input(1, 2, 2, 1), { size: [4, 4], alignCorners: true, halfPixelCenters: true }),
    ).toThrow(/exclude each other/)
  })
  it('to the same size changes nothing', async () => {
    await using session = new Session()
    const x = constant([
      [
        [[1], [2]],
        [[3], [5]],
      ],
    ])
    expect(
      (await session.run(resizeBilinear(x, { size: [2, 2], halfPixelCenters: true }))).numbers(),
    ).toEqual([1, 2, 3, 5])
  })
})

describe('activations', () => {
  it('gelu keeps its digits far below zero', async () => {
    await using session = new Session()
    // x Φ(x) at -6 is -5.919526...e-9: in float32, 1 + erf would leave nothing.
    expect((await session.run(gelu(constant([-6])))).numbers()[0]! / -5.91952643e-9).toBeCloseTo(1, 4)
  })
  it('softmax refuses an axis that x does not have', () => {
    expect(() => softmax(input(2, 3), { axis: 2 })).toThrow(/axis 2 is out of range/)
  })
  it('dropout in training changes with every run, and its gradient uses the same mask', async () => {
    const x = constant(new Array<number>(64).fill(1))
    const y = dropout(x, { rate: 0.5, seed: 1 })
    await using session = new Session({ seed: 1 })
    const fetches = [y, gradients(y, [x])[0]!]
    const [first, back] = await session.run(fetches)
    expect(back!.numbers()).toEqual(first!.numbers())
    expect((await session.run(fetches))[0]!.numbers()).not.toEqual(first!.numbers())
    expect(() => dropout(x, { rate: 1 })).toThrow(/below 1/)
  })
})

describe('layers say what they need', () => {
  it('biasAdd a vector of the channels', () => {
    expect(() => biasAdd(input(2, 3), [1, 2])).toThrow(/must be a vector as long as the last axis/)
  })
  it('groupNorm channels that can be split', () => {
    expect(() => groupNorm(input(2, 3, 5), undefined, undefined, { groups: 2 })).toThrow(
      /a multiple of 2 groups/,
    )
  })
  it('attention a known depth or a scale', () => {
    const [q, k, v] = [input(2, 'd'), input(3, 'd'), input(3, 4)]
    expect(() => scaledDotProductAttention(q, k, v)).toThrow(/state the scale/)
    expect(scaledDotProductAttention(q, k, v, { scale: 1 }).shape).toEqual([2, 4])
  })
  it('attention to nothing is the mean of all values', async () => {
    await using session = new Session()
    const y = scaledDotProductAttention([[1]], [[1], [2]], [[2], [4]], { mask: [[false, false]] })
    expect((await session.run(y)).item()).toBe(3)
  })
  it('embedding bags one way of saying which', () => {
    expect(() => embeddingLookupSparse(input(4, 2), [0, 1], { combiner: 'sum' })).toThrow(/either offsets/)
  })
})
