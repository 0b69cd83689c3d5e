import { describe, expect, it } from 'vitest'
import { Backoff, pause, persist } from './backoff.ts'
import { SecurityError } from './errors.ts'
import { QuickClock } from './supervise/testing/quickClock.ts'

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

describe('who persists', () => {
  const options = { deadlineMs: 1000, random: () => 0.5 }
  const failed = (error: Error): Error => new Error(`in vain: ${error.message}`)

  it('succeeds with the first attempt that does', async () => {
    const left: number[] = []
    const attempt = async (leftMs: number): Promise<string> => {
      left.push(Math.round(leftMs))
      if (left.length < 3) throw new Error('not yet')
      return 'there'
    }
    expect(await persist(attempt, failed, { ...options, clock: new QuickClock() })).toBe('there')
    expect(left).toEqual([1000, 900, 740])
  })

  it('gives up when the next attempt would be too late, and says why the last one failed', async () => {
    const clock = new QuickClock()
    let count = 0
    const attempt = (): Promise<never> => Promise.reject(new Error(`attempt ${++count}`))
    await expect(persist(attempt, failed, { ...options, clock })).rejects.toThrow('in vain: attempt 5')
    expect(clock.now()).toBeLessThan(1000)
  })

  it('gives up at once what is not trusted, and with the reason of the signal', async () => {
    const clock = new QuickClock()
    const refused = new SecurityError('a stranger')
    await expect(persist(() => Promise.reject(refused), failed, { ...options, clock })).rejects.toBe(refused)
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    await expect(persist(() => Promise.resolve(1), failed, { ...options, clock, signal })).rejects.toBe(
      reason,
    )
    expect(clock.now()).toBe(0)
  })

  it('waits no longer for an attempt that others may wait for when the signal aborts', async () => {
    const reason = new Error('enough')
    const ending = new AbortController()
    const others = Promise.withResolvers<string>()
    const clock = new QuickClock()
    const { signal } = ending
    const waiting = persist(() => others.promise, failed, { ...options, clock, signal })
    ending.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    others.reject(new Error('too late'))
    expect(clock.now()).toBe(0)
  })
})
