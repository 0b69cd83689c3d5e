import { describe, expect, it } from 'vitest'
import { RunScope } from './scope.ts'

describe('RunScope', () => {
  it('passes on what aborts it from outside, until it is over', () => {
    const [session, caller] = [new AbortController(), new AbortController()]
    const scope = new RunScope([session.signal, caller.signal])
    const { signal } = scope
    expect(signal.aborted).toBe(false)
    caller.abort('enough')
    expect(signal.reason).toBe('enough')
    const other = new RunScope([session.signal])
    const late = other.signal
    other.end()
    session.abort('closed')
    expect(late.aborted).toBe(false)
  })

  it('has a signal that is aborted already when that came first', () => {
    const source = new AbortController()
    const outside = new RunScope([source.signal])
    source.abort('before')
    expect(outside.signal.reason).toBe('before')
    const inside = new RunScope([new AbortController().signal])
    inside.abort('first')
    inside.abort('second')
    expect(inside.signal.reason).toBe('first')
  })

  it('releases the last first, once', () => {
    const scope = new RunScope([])
    const released: number[] = []
    scope.onEnd(() => released.push(1))
    scope.onEnd(() => released.push(2))
    scope.end()
    scope.end()
    expect(released).toEqual([2, 1])
  })
})
