import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { QuickClock } from '../supervise/testing/quickClock.ts'
import { atMoment } from './expiry.ts'

const begin = Date.UTC(2020, 0, 1)
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: begin }))
afterEach(() => void vi.useRealTimers())

/** A clock whose waits move the calendar as well. */
class Days extends QuickClock {
  override after(ms: number, action: () => void): () => void {
    return super.after(ms, () => {
      vi.setSystemTime(Date.now() + ms)
      action()
    })
  }
}

describe('a moment of the calendar', () => {
  it('is waited for in steps of a minute, and comes once', async () => {
    const clock = new Days()
    const come = Promise.withResolvers<number>()
    atMoment(begin + 150_000, clock, () => come.resolve(Date.now()))
    expect(await come.promise).toBe(begin + 150_000)
    expect(clock.waits).toEqual([60_000, 60_000, 30_000, 0])
  })

  it('comes at once where it has passed while the machine was asleep', async () => {
    const clock = new Days()
    const come = Promise.withResolvers<void>()
    atMoment(begin + 86_400_000, clock, come.resolve)
    vi.setSystemTime(begin + 90_000_000)
    await come.promise
    expect(clock.waits).toEqual([60_000, 0])
  })

  it('can be called off, and may never come', async () => {
    const clock = new Days()
    const action = vi.fn<() => void>()
    atMoment(undefined, clock, action)()
    atMoment(begin, clock, action)()
    expect(clock.waits).toEqual([0])
    await new Promise(setImmediate)
    expect(action).not.toHaveBeenCalled()
  })
})
