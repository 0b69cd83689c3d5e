import { describe, expect, it } from 'vitest'
import { areaUnderCurve } from './auc.ts'

describe('areaUnderCurve', () => {
  it('is 1 when all positives come after all negatives, 0 the other way round', () => {
    expect(areaUnderCurve([0.1, 0.2, 0.8, 0.9], [false, false, true, true])).toBe(1)
    expect(areaUnderCurve([0.1, 0.2, 0.8, 0.9], [true, true, false, false])).toBe(0)
  })

  it('counts the pairs that are in order', () => {
    // Of the pairs (0.35, 0.1), (0.35, 0.4), (0.8, 0.1), (0.8, 0.4) three are.
    expect(areaUnderCurve([0.1, 0.4, 0.35, 0.8], [false, false, true, true])).toBe(0.75)
  })

  it('counts a tie as half', () => {
    expect(areaUnderCurve([0.5, 0.5], [true, false])).toBe(0.5)
  })
})
