import { AttrError, constant, placeholder, Session, variable } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Schedule } from './rate.ts'
import {
  constantRate,
  cosineDecay,
  cosineDecayRestarts,
  exponentialDecay,
  inverseTimeDecay,
  linearWarmup,
  noam,
  piecewiseConstant,
  polynomialDecay,
} from './schedules.ts'

const steps = [0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 15, 20, 29, 30, 31, 69, 70, 71]

/** The rate at each of `steps` beside the formula's. */
function expectRates(schedule: Schedule, formula: (step: number) => number): void {
  const session = new Session()
  const step = placeholder({ shape: [], dtype: 'int32', name: 'step' })
  const rate = schedule(step)
  expect(rate.dtype).toBe('float32')
  for (const n of steps) {
    const expected = formula(n)
    const actual = session.runSync(rate, [[step, n]]).item() as number
    expect(Math.abs(actual - expected), `step ${n}: ${actual} for ${expected}`).toBeLessThan(
      1e-5 * Math.max(1e-2, expected),
    )
  }
}

describe('schedules', () => {
  it('constantRate', () => expectRates(constantRate(0.25), () => 0.25))
  it('exponentialDecay', () =>
    expectRates(exponentialDecay({ initial: 0.5, steps: 10, factor: 0.8 }), (n) => 0.5 * 0.8 ** (n / 10)))
  it('exponentialDecay in stairs', () =>
    expectRates(
      exponentialDecay({ initial: 0.5, steps: 10, factor: 0.8, staircase: true }),
      (n) => 0.5 * 0.8 ** Math.floor(n / 10),
    ))
  it('inverseTimeDecay', () =>
    expectRates(inverseTimeDecay({ initial: 0.5, steps: 10, factor: 2 }), (n) => 0.5 / (1 + (2 * n) / 10)))
  it('inverseTimeDecay in stairs', () =>
    expectRates(
      inverseTimeDecay({ initial: 0.5, steps: 10, factor: 2, staircase: true }),
      (n) => 0.5 / (1 + 2 * Math.floor(n / 10)),
    ))
  it('piecewiseConstant changes after each boundary', () =>
    expectRates(piecewiseConstant({ boundaries: [4, 10], values: [1, 0.5, 0.1] }), (n) =>
      n <= 4 ? 1 : n <= 10 ? 0.5 : 0.1,
    ))
  it('polynomialDecay', () =>
    expectRates(
      polynomialDecay({ initial: 0.5, end: 0.1, steps: 30, power: 2 }),
      (n) => 0.4 * (1 - Math.min(n, 30) / 30) ** 2 + 0.1,
    ))
  it('polynomialDecay in cycles', () =>
    expectRates(polynomialDecay({ initial: 0.5, end: 0.1, steps: 10, cycle: true }), (n) => {
      const length = 10 * Math.max(1, Math.ceil(n / 10))
      return 0.4 * (1 - n / length) + 0.1
    }))
  it('cosineDecay', () =>
    expectRates(cosineDecay({ initial: 0.5, steps: 30, floor: 0.1 }), (n) => {
      const cosine = (1 + Math.cos((Math.PI * Math.min(n, 30)) / 30)) / 2
      return 0.5 * (0.9 * cosine + 0.1)
    }))
  it.each([1, 2])('cosineDecayRestarts with periods that grow by %s', (lengthen) =>
    expectRates(cosineDecayRestarts({ initial: 0.5, steps: 10, lengthen, lower: 0.5 }), (n) => {
      let [begin, length, height] = [0, 10, 0.5]
      while (n >= begin + length) [begin, length, height] = [begin + length, length * lengthen, height / 2]
      return (height * (1 + Math.cos((Math.PI * (n - begin)) / length))) / 2
    }),
  )
  it('linearWarmup before another schedule, which then starts at its beginning', () =>
    expectRates(
      linearWarmup(exponentialDecay({ initial: 1, steps: 10, factor: 0.5 }), { steps: 10, from: 0.1 }),
      (n) => (n < 10 ? 0.1 + 0.09 * n : 0.5 ** ((n - 10) / 10)),
    ))
  it('linearWarmup to a number', () =>
    expectRates(linearWarmup(0.2, { steps: 4 }), (n) => 0.2 * Math.min(1, n / 4)))
  it('noam', () =>
    expectRates(
      noam({ modelSize: 512, warmup: 10 }),
      (n) => 512 ** -0.5 * Math.min((n + 1) ** -0.5, (n + 1) * 10 ** -1.5),
    ))

  it('take numbers and variables for the step', async () => {
    const session = new Session()
    const step = variable(constant(10, 'int64'), { name: 'step', trainable: false })
    const rate = exponentialDecay({ initial: 1, steps: 10, factor: 0.5 })
    await session.initialize(step)
    expect(session.runSync([rate(step), rate(20)]).map((x) => x.item())).toEqual([0.5, 0.25])
  })

  it('refuse options that make no schedule', () => {
    expect(() => exponentialDecay({ initial: 1, steps: 0, factor: 0.5 })).toThrow(AttrError)
    expect(() => piecewiseConstant({ boundaries: [1], values: [1] })).toThrow(
      '1 boundaries need 2 values, got 1',
    )
    expect(() => piecewiseConstant({ boundaries: [2, 1], values: [1, 2, 3] })).toThrow('do not grow')
    expect(() => cosineDecayRestarts({ initial: 1, steps: 5, lengthen: 0.5 })).toThrow('must be at least 1')
  })
})
