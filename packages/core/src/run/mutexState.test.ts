// A lock alone: one holder, a fair line, aborts and releases.
import { describe, expect, it } from 'vitest'
import { RunError } from '../errors.ts'
import { MutexState } from './mutexState.ts'

describe('MutexState', () => {
  it('goes to those who wait in the order in which they came', async () => {
    const mutex = new MutexState('m')
    const [a, b, c] = [{}, {}, {}]
    const order: string[] = []
    await mutex.lock(a)
    const second = mutex.lock(b).then(() => order.push('b'))
    const third = mutex.lock(c).then(() => order.push('c'))
    expect(mutex.isLocked).toBe(true)
    mutex.unlock(a)
    await second
    expect(order).toEqual(['b'])
    mutex.unlock(b)
    await third
    mutex.unlock(c)
    expect(order).toEqual(['b', 'c'])
    expect(mutex.isLocked).toBe(false)
  })

  it('leaves the line when the wait is aborted', async () => {
    const mutex = new MutexState('m')
    const [a, b, c] = [{}, {}, {}]
    const abort = new AbortController()
    await mutex.lock(a)
    const second = mutex.lock(b, abort.signal)
    const third = mutex.lock(c)
    abort.abort(new Error('stop'))
    await expect(second).rejects.toThrow('stop')
    mutex.unlock(a)
    await third
    expect(mutex.release(b)).toBe(false)
    expect(mutex.release(c)).toBe(true)
  })

  it('can only be unlocked by its holder', async () => {
    const mutex = new MutexState('m')
    await mutex.lock({})
    expect(() => mutex.unlock({})).toThrow(RunError)
  })
})
