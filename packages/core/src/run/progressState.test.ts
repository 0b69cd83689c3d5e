// Counts of progress alone: who waits for whom.
import { describe, expect, it } from 'vitest'
import { RunError } from '../errors.ts'
import { ProgressState } from './progressState.ts'

describe('progress', () => {
  it('makes the fast wait for the slow', async () => {
    const state = new ProgressState(2)
    await state.advance(0, 1)
    let went = false
    const second = state.advance(0, 1).then(() => (went = true))
    await state.advance(1, 1)
    await second
    expect([went, ...state.steps]).toEqual([true, 2, 1])
  })

  it('waits only for those who are present; who comes back begins where the slowest is', async () => {
    const state = new ProgressState(3)
    const waiting = [0, 1].map((member) => state.advance(member, 0))
    state.setPresent([0, 1])
    await Promise.all(waiting)
    const ahead = state.advance(0, 0)
    state.setPresent([0, 1, 2])
    expect(state.steps).toEqual([2, 1, 1])
    await Promise.all([state.advance(1, 0), state.advance(2, 0), ahead])
    const alone = state.advance(0, 0)
    state.setPresent([])
    await Promise.all([alone, state.advance(0, 0)])
    // The first ones to be there again wait for each other alone.
    state.setPresent([1, 2])
    expect(state.steps).toEqual([4, 2, 2])
  })

  it('counts the step of a wait that is aborted', async () => {
    const state = new ProgressState(2)
    const abort = new AbortController()
    const waiting = state.advance(0, 0, abort.signal)
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(state.advance(0, 0, abort.signal)).rejects.toThrow('enough')
    expect(state.steps).toEqual([2, 0])
  })

  it('refuses who is no member', async () => {
    const state = new ProgressState(2)
    await expect(state.advance(2, 0)).rejects.toThrow(RunError)
    expect(() => state.setPresent([0, 5])).toThrow('there is no member 5, only 0 to 1')
  })
})
