import { describe, expect, it } from 'vitest'
import { Backoff, pause } from './backoff.ts'
import { QuickClock } from './testing/quickClock.ts'

const series = (backoff: Backoff, count: number): number[] =>
  Array.from({ length: count }, () => Math.round(backoff.next()))

describe('pauses', () => {
  it('grow to their limit, and begin anew', () => {
    const backoff = new Backoff({ firstMs: 100, mostMs: 500, random: () => 0.5 })
    expect(series(backoff, 6)).toEqual([100, 160, 256, 410, 500, 500])
    backoff.reset()
    expect(series(backoff, 2)).toEqual([100, 160])
  })

  it('are a fifth more or less, and never above the limit', () => {
    const least = new Backoff({ firstMs: 100, mostMs: 500, random: () => 0 })
    const most = new Backoff({ firstMs: 100, mostMs: 500, random: () => 1 })
    expect(series(least, 6)).toEqual([80, 128, 205, 328, 400, 400])
    expect(series(most, 6)).toEqual([120, 192, 307, 492, 500, 500])
  })

  it('pass on the clock that is given', async () => {
    const clock = new QuickClock()
    await pause(5000, clock)
    expect(clock.now()).toBe(5000)
  })

  it('end with the reason of their signal, before or in the middle', async () => {
    const ending = new AbortController()
    const never = { now: () => 0, after: () => () => {} }
    const waiting = pause(1, never, ending.signal)
    const reason = new Error('enough')
    ending.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    await expect(pause(1, never, ending.signal)).rejects.toBe(reason)
  })
})
