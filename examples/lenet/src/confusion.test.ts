import { describe, expect, it } from 'vitest'
import { accuracyOf, confusionOf, formatConfusion } from './confusion.ts'

describe('the confusion of digits', () => {
  const table = confusionOf([0, 0, 1, 2, 2], [0, 1, 1, 2, 2], 3)

  it('has a row for what they are and a column for what they are taken for', () => {
    expect(table).toEqual([
      [1, 1, 0],
      [0, 1, 0],
      [0, 0, 2],
    ])
  })

  it('tells the accuracy', () => {
    expect(accuracyOf(table)).toBe(0.8)
  })

  it('is written with the part of each row that is right', () => {
    expect(formatConfusion(table).split('\n')[1]).toBe('             0    1    1    ·   50.0 %')
  })
})
