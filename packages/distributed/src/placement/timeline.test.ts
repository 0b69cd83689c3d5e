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
    time.giveBack(2, 2)
    expect(time.take(0, 3)).toBe(6)
    expect(time.take(0, 1)).toBe(2)
    expect(time.take(1, 1)).toBe(3)
  })

  it('is what it was when pieces that touched were given back', () => {
    const time = new Timeline()
    const pieces = [0, 1, 2, 3].map(() => time.take(0, 1))
    expect(pieces).toEqual([0, 1, 2, 3])
    // From the middle, from the left, from the right, and the only one.
    time.giveBack(1, 1)
    expect(time.take(0, 2)).toBe(4)
    expect(time.take(0, 1)).toBe(1)
    time.giveBack(0, 1)
    expect(time.take(0, 1)).toBe(0)
    time.giveBack(4, 2)
    expect(time.take(0, 5)).toBe(4)
    time.giveBack(4, 5)
    for (const start of [3, 2, 0, 1]) time.giveBack(start, 1)
    expect(time.take(0, 9)).toBe(0)
  })

  it('takes no piece that is taken already, whatever is given back meanwhile', () => {
    let state = 11
    const random = (below: number): number => (state = (state * 1103515245 + 12345) % 2 ** 31) % below
    const time = new Timeline()
    const pieces: { start: number; duration: number }[] = []
    for (let round = 0; round < 300; round++) {
      const duration = 1 + random(4)
      const start = time.take(random(200), duration)
      for (const piece of pieces)
        expect(start + duration <= piece.start || piece.start + piece.duration <= start).toBe(true)
      pieces.push({ start, duration })
      const [gone] = pieces.length > 20 ? pieces.splice(random(pieces.length), 1) : []
      if (gone) time.giveBack(gone.start, gone.duration)
    }
  })
})
