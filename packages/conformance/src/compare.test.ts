import { ndarray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { expectClose, expectValues } from './compare.ts'
import { exact } from './tolerance.ts'

const loose = { units: 4, cancels: false }

describe('expectClose', () => {
  it('takes values within the units of their dtype, and no further', () => {
    const one = ndarray([1], 'float32')
    expect(() => expectClose('x', ndarray([1 + 2 ** -22], 'float32'), one, loose)).not.toThrow()
    expect(() => expectClose('x', ndarray([1 + 2 ** -20], 'float32'), one, loose)).toThrow('x: element 0')
  })
  it('allows nothing when the tolerance is exact', () => {
    expect(() =>
      expectClose('x', ndarray([1 + 2 ** -23], 'float32'), ndarray([1], 'float32'), exact),
    ).toThrow('element 0')
  })
  it('measures against the largest neighbour only where terms cancel', () => {
    const [actual, wanted] = [ndarray([1e-6, 1000], 'float32'), ndarray([0, 1000], 'float32')]
    expect(() => expectClose('x', actual, wanted, loose)).toThrow('element 0')
    expect(() => expectClose('x', actual, wanted, { units: 4, cancels: true })).not.toThrow()
  })
  it('tells shapes and dtypes apart', () => {
    expect(() => expectClose('x', ndarray([1, 2]), ndarray([[1, 2]]), loose)).toThrow('shape')
    expect(() => expectClose('x', ndarray([1], 'int32'), ndarray([1], 'float32'), loose)).toThrow('dtype')
  })
  it('takes NaN for NaN and an infinity only for itself', () => {
    const special = ndarray([Number.NaN, Infinity, -Infinity], 'float32')
    expect(() => expectClose('x', special, special, loose)).not.toThrow()
    expect(() => expectClose('x', ndarray([0], 'float32'), ndarray([Number.NaN], 'float32'), loose)).toThrow(
      'element 0',
    )
    expect(() => expectClose('x', ndarray([3e38], 'float32'), ndarray([Infinity], 'float32'), loose)).toThrow(
      'element 0',
    )
  })
})

describe('expectValues', () => {
  it('reads the shape off nested arrays', () => {
    expect(() => expectValues('x', ndarray([[1], [2]]), [[1], [2]], exact)).not.toThrow()
    expect(() => expectValues('x', ndarray([1, 2]), [[1], [2]], exact)).toThrow('shape')
  })
  it('compares strings, booleans and bigints', () => {
    expect(() => expectValues('x', ndarray(['a', 'b']), ['a', 'b'], exact)).not.toThrow()
    expect(() => expectValues('x', ndarray([true]), [false], exact)).toThrow('element 0')
    expect(() => expectValues('x', ndarray([2n ** 60n]), [2n ** 60n + 1n], exact)).toThrow('element 0')
  })
})
