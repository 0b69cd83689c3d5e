import { describe, expect, it } from 'vitest'
import type { DType } from './dtype.ts'
import { cast, constant, ndarray, pipeline, Session } from './index.ts'
import type { NDArray } from './ndarray.ts'

/** The value of a cast as the op computes it, without any pass. */
const castByOp = (value: NDArray, to: DType): NDArray =>
  new Session({ passes: pipeline(), fusion: false }).runSync(cast(constant(value), { to }))

describe('cast', () => {
  const sources: readonly NDArray[] = [
    ndarray([300, NaN, -1, 1.5, -1.5, Infinity, -Infinity, 2 ** 31, 2 ** 40, -129, 65520]),
    ndarray([300, NaN, -1.9, 2 ** 63, -(2 ** 63), 1.00390625 + 1e-9, 2 ** 53 + 2, 1e39], 'float64'),
    ndarray([2n ** 60n + 5n, 2n ** 60n + 2n ** 36n + 1n, -(2n ** 60n) - 2n ** 36n - 1n, -1n, 255n, 256n]),
    ndarray([0, 1, -1, 2 ** 31 - 1, -(2 ** 31)], 'int32'),
    ndarray([true, false]),
    ndarray([0.1, -300, 65504], 'float16'),
  ]
  const targets = [
    'float32',
    'float64',
    'float16',
    'bfloat16',
    'int8',
    'uint8',
    'int16',
    'int32',
    'int64',
    'uint32',
    'bool',
  ] as const
  it.each(targets)('to %s means the same on the host as in a graph', (to) => {
    for (const source of sources) expect(source.cast(to).toArray()).toEqual(castByOp(source, to).toArray())
  })
  it('saturates floats and wraps integers', () => {
    expect(ndarray([300, NaN, -1]).cast('uint8').toArray()).toEqual([255, 0, 0])
    expect(
      ndarray([2n ** 60n + 5n])
        .cast('int32')
        .toArray(),
    ).toEqual([5])
    expect(ndarray([2n ** 60n + 5n], 'int32').toArray()).toEqual([5])
  })
  it('rounds once on the way to a shorter float', () => {
    const wide = 2n ** 60n + 2n ** 36n + 1n
    for (const sign of [1n, -1n]) {
      const nearest = Number(sign) * (2 ** 60 + 2 ** 37)
      expect(
        ndarray([sign * wide])
          .cast('float32')
          .item(),
      ).toBe(nearest)
      expect(ndarray([sign * wide], 'float32').item()).toBe(nearest)
    }
    expect(
      ndarray([2n ** 60n + 2n ** 52n + 1n])
        .cast('bfloat16')
        .item(),
    ).toBe(2 ** 60 + 2 ** 53)
    expect(
      ndarray([2n ** 60n + 2n ** 36n])
        .cast('float32')
        .item(),
    ).toBe(2 ** 60)
  })
})

describe('ndarray', () => {
  it('rounds to bfloat16 once, straight from float64', () => {
    const round = (x: number): unknown => ndarray([x], 'bfloat16').item()
    expect(round(1.00390625 + 1e-9)).toBe(1.0078125)
    expect(round(-1.00390625 - 1e-9)).toBe(-1.0078125)
    expect(round(1.00390625 - 1e-9)).toBe(1)
    expect(round(1.00390625)).toBe(1)
    expect(round(1e39)).toBe(Infinity)
    expect(round(1e-60)).toBe(0)
    expect(round(-0)).toBe(-0)
    expect(round(NaN)).toBeNaN()
  })
  it('takes no elements but numbers, bigints, booleans and strings', () => {
    for (const element of [null, undefined, {}, () => 1])
      expect(() => ndarray([element, element] as never)).toThrow(
        /elements are numbers, bigints, booleans or strings/,
      )
  })
  it('tells how to give a list of typed arrays', () => {
    const rows = [Float32Array.of(1, 2), Float32Array.of(3, 4)]
    expect(() => ndarray(rows as never)).toThrow(/into one Float32Array and give its shape/)
    expect(ndarray(Float32Array.of(1, 2, 3, 4), 'float32', [2, 2]).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
  })
})
