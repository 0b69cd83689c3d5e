import { NDArray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { stepsFor } from './ranges.ts'
import { quantizeWeights } from './weights.ts'

const float32 = (shape: readonly number[], values: readonly number[]) =>
  new NDArray('float32', shape, Float32Array.from(values))

describe('steps of activations', () => {
  it('cover the range and hold 0 exactly', () => {
    expect(stepsFor({ low: 0, high: 12.7 })).toEqual({ scale: 12.7 / 127, zeroPoint: 0 })
    expect(stepsFor({ low: -1, high: 1 })).toEqual({ scale: 2 / 127, zeroPoint: 64 })
    expect(stepsFor({ low: -2, high: -1 })).toEqual({ scale: 2 / 127, zeroPoint: 127 })
    expect(stepsFor({ low: 3, high: 127 })).toEqual({ scale: 1, zeroPoint: 0 })
    expect(stepsFor({ low: 0, high: 0 })).toEqual({ scale: 1, zeroPoint: 0 })
  })
})

describe('quantised weights', () => {
  const steps = { scale: 0.5, zeroPoint: 3 }

  it('have a scale for each output channel, and lie row by row whichever way they came', () => {
    const last = quantizeWeights(float32([3, 2], [1, -4, 0.5, 2, -1, 1]), false, undefined, steps)
    expect(last.weights.toArray()).toEqual([
      [127, 64, -127],
      [-127, 64, 32],
    ])
    expect(last.scale.numbers()).toEqual([1 / 127 / 2, 4 / 127 / 2].map(Math.fround))
    const first = quantizeWeights(float32([2, 3], [1, 0.5, -1, -4, 2, 1]), true, undefined, steps)
    expect(first).toEqual(last)
  })

  it('take the bias into an integer offset, less what the zero point adds', () => {
    const { offset } = quantizeWeights(float32([2, 1], [127, 1]), false, float32([1], [20]), steps)
    // The scale is 1 · 0.5, the sum of the weights 128.
    expect(offset.numbers()).toEqual([40 - 3 * 128])
  })

  it('stand channels of zeros, with and without a bias, and biases beyond all weights', () => {
    const { weights, scale, offset } = quantizeWeights(
      float32([1, 3], [0, 0, 1e-12]),
      false,
      float32([3], [0, 0.3, 1000]),
      steps,
    )
    expect(weights.numbers()).toEqual([0, 0, 0])
    const biases = offset.numbers().map((v, i) => v * scale.numbers()[i]!)
    expect(biases[0]).toBe(0)
    expect(biases[1]).toBeCloseTo(0.3, 6)
    expect(biases[2]).toBeCloseTo(1000, 3)
  })
})
