import { describe, expect, it } from 'vitest'
import { quartiles, ratio, summary } from './statistics.ts'

describe('statistics', () => {
  it('finds the median and the quartiles in any order', () => {
    expect(quartiles([5, 1, 4, 2, 3])).toEqual({ median: 3, lower: 2, upper: 4 })
    expect(() => quartiles([])).toThrow(RangeError)
  })
  it('leaves out rounds that a side sat out', () => {
    expect(summary([1, undefined, 3, undefined, 2]).median).toBe(2)
  })
  it('takes ratios of pairs, not of medians', () => {
    // The machine was twice as slow in the second round for both.
    expect(ratio([2, 4, 2], [1, 2, 1])).toEqual({ median: 2, lower: 2, upper: 2 })
    expect(ratio([2, undefined], [undefined, 1])).toBeUndefined()
  })
})
