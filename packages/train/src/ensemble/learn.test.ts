// What is learnt from predictions, on cases whose answers are known.
import { ndarray, NDArray, ValueError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { judge } from './judge.ts'
import { learnStacking } from './stacking.ts'
import { learnWeights } from './weights.ts'

const labels = (...classes: number[]): NDArray => ndarray(classes, 'int32')
/** Probabilities of class 1, of two. */
const ofOne = (...p: number[]): NDArray => ndarray(p.map((x) => [1 - x, x]))

describe('judge', () => {
  it('counts hits, the lower class where two are as probable, and means -ln p', () => {
    const predictions = ndarray([
      [0.5, 0.25, 0.25],
      [0.25, 0.5, 0.25],
      [0.4, 0.4, 0.2],
      [0.4, 0.4, 0.2],
    ])
    const { accuracy, logLoss } = judge(predictions, labels(0, 2, 0, 1))
    expect(accuracy).toBe(0.5)
    expect(logLoss).toBeCloseTo((Math.log(2) + Math.log(4) + 2 * Math.log(2.5)) / 4, 6)
  })

  it('lets no certainty cost more than that of 1e-7', () => {
    expect(judge(ofOne(1, 1), labels(1, 0)).logLoss).toBeCloseTo((7 * Math.log(10)) / 2, 10)
  })

  it.each([
    ['scores', ndarray([[3, -1]]), labels(0), 'of example 0 add up to 2.000, or are not between 0 and 1'],
    ['NaN', ndarray([[NaN, 1]]), labels(0), 'of example 0 add up to NaN'],
    ['too few labels', ofOne(1, 1), labels(1), '2 predictions need classes as whole numbers'],
    ['labels that are floats', ofOne(1), ndarray([1]), 'labels are float32[1]'],
    ['a class that there is not', ofOne(1), labels(2), 'the label of example 0 is 2; there are 2 classes'],
    ['numbers', ndarray([1]), labels(0), 'predictions are float32[1]'],
    ['nothing', new NDArray('float32', [0, 2], new Float32Array()), labels(), 'there are no predictions'],
  ])('refuses %s', (_, predictions, right, message) => {
    expect(() => judge(predictions, right)).toThrow(ValueError)
    expect(() => judge(predictions, right)).toThrow(message)
  })
})

describe('weights of probabilities', () => {
  it('are where the log-loss is least', () => {
    // Of 4 examples member 0 is sure of 3 and member 1 of the fourth: 3 ln w + ln (1 - w) is greatest at w = 3/4.
    const weights = learnWeights([ofOne(1, 1, 1, 0), ofOne(0, 0, 0, 1)], labels(1, 1, 1, 1))
    expect(weights[0]).toBeCloseTo(0.75, 3)
    expect(weights[0]! + weights[1]!).toBeCloseTo(1, 12)
  })

  it('leave nothing to a member that is worse everywhere', () => {
    const weights = learnWeights([ofOne(0.9, 0.1), ofOne(0.6, 0.4), ofOne(0.5, 0.5)], labels(1, 0))
    expect(weights[0]).toBeGreaterThan(0.9999)
  })

  it('are equal where nothing speaks for one member', () => {
    expect(learnWeights([ofOne(0.9, 0.2), ofOne(0.9, 0.2)], labels(1, 0))).toEqual([0.5, 0.5])
  })

  it('need predictions for the same examples', () => {
    expect(() => learnWeights([], labels(0))).toThrow('there are no predictions: give those of each member')
    expect(() => learnWeights([ofOne(1), ofOne(1, 1)], labels(1))).toThrow(
      'members predict float32[1, 2] and float32[2, 2]',
    )
  })
})

describe('weights of numbers', () => {
  it('are where the squared error is least', () => {
    // Errors [1, 1] and [-2, 1]: of w [1, 1] + (1 - w) [-2, 1] the first is 0 at w = 2/3.
    const [right, above, around] = [ndarray([5, 6]), ndarray([6, 7]), ndarray([3, 7])]
    const weights = learnWeights([above, around], right)
    expect(weights[0]).toBeCloseTo(2 / 3, 6)
    expect(weights[1]).toBeCloseTo(1 / 3, 6)
  })

  it('find the one mean of three that makes no error', () => {
    const errors = [
      [2, 0, 1],
      [-1, 3, 1],
      [0, -3, -2],
    ]
    const [a, b, c] = [0.25, 0.5, 0.25]
    // The error of that mean is taken off all members: it is then 0.
    const off = [0, 1, 2].map((i) => a * errors[0]![i]! + b * errors[1]![i]! + c * errors[2]![i]!)
    const members = errors.map((row) =>
      ndarray(
        row.map((x, i) => [x - off[i]! + 10 * i]),
        'float64',
      ),
    )
    const weights = learnWeights(members, ndarray([[0], [10], [20]], 'float64'))
    ;[a, b, c].forEach((w, k) => expect(weights[k]).toBeCloseTo(w, 6))
  })

  it('are never negative', () => {
    // Twice the first less the second would make no error at all.
    expect(learnWeights([ndarray([1, 1]), ndarray([2, 2])], ndarray([0, 0], 'float32'))).toEqual([1, 0])
  })

  it('need numbers of one shape', () => {
    expect(() => learnWeights([ndarray([[1]])], ndarray([1]))).toThrow('reshape one of them')
    expect(() => learnWeights([ndarray([NaN])], ndarray([1]))).toThrow('must be finite')
  })
})

describe('stacking', () => {
  it('stays the nearer to the geometric mean the stronger it is drawn to it', async () => {
    const [predictions, right] = [[ofOne(0.6, 0.3), ofOne(0.7, 0.2)], labels(1, 0)] as const
    const mean = [0.5, 0, 0, 0.5, 0.5, 0, 0, 0.5]
    const distances: number[] = []
    for (const l2 of [100, 0.1, 0.001]) {
      const { weights, bias } = await learnStacking(predictions, right, { l2 })
      expect([weights.shape, bias.shape]).toEqual([[4, 2], [2]])
      distances.push(Math.max(...weights.numbers().map((w, i) => Math.abs(w - mean[i]!))))
    }
    expect(distances[0]).toBeLessThan(0.01)
    expect(distances[1]).toBeGreaterThan(10 * distances[0]!)
    expect(distances[2]).toBeGreaterThan(2 * distances[1]!)
  })

  it('sees through a member that mistakes one class for the other', async () => {
    const right = labels(1, 0, 1, 1, 0, 0)
    const liar = ofOne(0.2, 0.8, 0.1, 0.2, 0.7, 0.9)
    const unsure = ofOne(0.5, 0.5, 0.6, 0.4, 0.5, 0.5)
    const once = await learnStacking([liar, unsure], right, { steps: 200 })
    const again = await learnStacking([liar, unsure], right, { steps: 200 })
    expect(again.weights.data).toEqual(once.weights.data)
    // What the liar gives to class 0 speaks for class 1.
    expect(once.weights.at(0, 1)).toBeGreaterThan(once.weights.at(0, 0) as number)
    expect(once.weights.at(1, 0)).toBeGreaterThan(once.weights.at(1, 1) as number)
  })

  it('refuses options out of range, and ends when it is told to', async () => {
    const [predictions, right] = [[ofOne(1)], labels(1)] as const
    await expect(learnStacking(predictions, right, { l2: -1 })).rejects.toThrow('l2 is -1')
    await expect(learnStacking(predictions, right, { steps: 0 })).rejects.toThrow('steps is 0')
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(learnStacking(predictions, right, { signal })).rejects.toThrow('enough')
  })
})
