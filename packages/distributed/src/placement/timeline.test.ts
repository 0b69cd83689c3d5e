import { describe, expect, it } from 'vitest'
import { Timeline } from './timeline.ts'

describe('Timeline', () => {
  it('gives the first piece that is free and long enough', () => {
    const time = new Timeline()
    expect(time.take(0, 4)).toBe(0)
    expect(time.take(10, 5)).toBe(10)
    expect(time.take(2, 3)).toBe(4)
    expect(time.take(0, 4)).toBe(15)
    expect(time.take(0, 3)).toBe(7)
    expect(time.take(30, 1)).toBe(30)
    expect(time.take(12, 1)).toBe(19)
  })

  it('gives a piece again that was given back', () => {
    const time = new Timeline()
    time.take(0, 2)
    expect(time.take(0, 2)).toBe(2)
    time.take(0, 2)
    time.giveBack(2)
    expect(time.take(0, 3)).toBe(6)
    expect(time.take(0, 1)).toBe(2)
    expect(time.take(1, 1)).toBe(3)
  })
})
