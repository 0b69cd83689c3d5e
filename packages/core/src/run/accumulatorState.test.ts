// An accumulator alone: what counts, who gets a set, and what becomes of it when that one ends.
import { describe, expect, it } from 'vitest'
import { RunError } from '../errors.ts'
import type { NDArray } from '../ndarray.ts'
import { ndarray } from '../ndarray.ts'
import { AccumulatorState } from './accumulatorState.ts'

const pair = [{ dtype: 'float32', shape: [2] }] as const
const make = (count = 2, types: ConstructorParameters<typeof AccumulatorState>[1] = pair) =>
  new AccumulatorState('a', types, count)
const gives = (step = 0, weight = 1, from = -1) => ({ step, weight, from })
const values = (arrays: readonly NDArray[]) => arrays.map((array) => array.toArray())
const row = (x: number): readonly NDArray[] => [ndarray([x, -x])]

/** Whether a promise has been settled once everything that was ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  promise.then(
    () => (settled = true),
    () => (settled = true),
  )
  await new Promise((resolve) => setImmediate(resolve))
  return settled
}

describe('what an accumulator gathers', () => {
  it('is averaged by its weights, and gone when it was taken', async () => {
    const state = make()
    expect(state.add(row(1), gives(0, 1))).toBe(true)
    expect(state.add(row(5), gives(0, 3))).toBe(true)
    expect(values(await state.take(2))).toEqual([[4, -4]])
    expect([state.step, state.gathered]).toEqual([1, 0])
    state.add(row(9), gives(1))
    expect(values(await state.take(1))).toEqual([[9, -9]])
  })

  it('leaves out, and counts, what is of another step or the second of one contributor', () => {
    const state = make()
    void state.setStep(3)
    expect([2, 4].map((step) => state.add(row(1), gives(step)))).toEqual([false, false])
    expect([5, 5, 6].map((from) => state.add(row(1), gives(3, 1, from)))).toEqual([true, false, true])
    expect([state.gathered, state.dropped]).toEqual([2, 3])
  })

  it('counts who has no examples without looking at their gradient', async () => {
    const state = make()
    state.add(row(NaN), gives(0, 0))
    state.add(row(2), gives(0, 4))
    expect(values(await state.take(2))).toEqual([[2, -2]])
    state.add(row(NaN), gives(1, 0))
    expect(values(await state.take(1))).toEqual([[0, 0]])
  })

  it('adds 16-bit gradients up in float32', async () => {
    for (const dtype of ['float16', 'bfloat16'] as const) {
      const state = make(1, [{ dtype, shape: [1] }])
      for (let i = 0; i < 4096; i++) state.add([ndarray([1], dtype)], gives())
      expect(values(await state.take(4096))).toEqual([[1]])
      for (const weight of [4096, 1]) state.add([ndarray([1], dtype)], gives(1, weight))
      expect(values(await state.take(2))).toEqual([[1]])
    }
  })

  it('adds float64 gradients up in float64', async () => {
    const state = make(1, [{ dtype: 'float64', shape: [] }])
    for (const x of [1, 2 ** -40]) state.add([ndarray(x, 'float64')], gives())
    expect((await state.take(2))[0]!.item()).toBe((1 + 2 ** -40) / 2)
  })

  it('adds rows up by their index, and answers them in order', async () => {
    const state = make(1, [{ dtype: 'float32', shape: [10, 2], rows: 4 }])
    const rows = (indices: number[], ...x: number[][]) => [ndarray(x), ndarray(indices, 'int32')]
    state.add(rows([7, 2, 7], [1, 2], [3, 4], [5, 6]), gives())
    state.add(rows([2, -1, 10], [5, 6], [9, 9], [9, 9]), gives(0, 3))
    const mean = [
      [4.5, 5.5],
      [1.5, 2],
      [0, 0],
      [0, 0],
    ]
    expect(values(await state.take(2))).toEqual([mean, [2, 7, -1, -1]])
    state.add([ndarray([[1, 1]]), ndarray([3n], 'int64')], gives(1))
    expect(values(await state.take(1))[1]).toEqual([3, -1, -1, -1])
  })

  it('refuses more rows than were declared, and weights that are none, and is as before', async () => {
    const state = make(1, [{ dtype: 'float32', shape: [10, 1], rows: 2 }])
    const rows = (...indices: number[]) => [ndarray(indices.map(() => [1])), ndarray(indices, 'int32')]
    state.add(rows(1, 2), gives())
    expect(() => state.add(rows(2, 3), gives())).toThrow(RunError)
    expect(() => state.add(rows(2, 3), gives())).toThrow('3 different rows by now, 2 were declared')
    for (const weight of [-1, NaN, Infinity])
      expect(() => state.add(rows(1), gives(0, weight))).toThrow('must be a number of examples')
    expect(state.gathered).toBe(1)
    expect(values(await state.take(1))).toEqual([
      [[1], [1]],
      [1, 2],
    ])
  })
})

describe('a set', () => {
  it('goes to one run, and the others are told when it was used', async () => {
    const state = make()
    const leases = [7, 8, 9].map((run) => state.lease(0, run))
    state.add(row(1), gives())
    expect(await isSettled(leases[0]!)).toBe(false)
    state.add(row(3), gives())
    expect(await leases[0]).toEqual({ taken: true, step: 0 })
    expect(await isSettled(leases[1]!)).toBe(false)
    expect(values(state.meanFor(7))).toEqual([[2, -2]])
    expect(state.add(row(9), gives())).toBe(false)
    expect(() => state.meanFor(8)).toThrow("accumulator 'a': this run has no set")
    expect(() => state.settle(8)).toThrow(RunError)
    state.settle(7)
    expect(await Promise.all(leases.slice(1))).toEqual([1, 2].map(() => ({ taken: false, step: 1 })))
    expect(await state.lease(0, 10)).toEqual({ taken: false, step: 1 })
  })

  it('goes to the next in line, as it was, when its run ends without using it', async () => {
    const state = make(1)
    const leases = [1, 2].map((run) => state.lease(0, run))
    state.add(row(4), gives())
    await leases[0]
    state.release(2)
    expect(await isSettled(leases[1]!)).toBe(false)
    state.release(1)
    expect(await leases[1]).toEqual({ taken: true, step: 0 })
    expect(values(state.meanFor(2))).toEqual([[4, -4]])
    state.settle(2)
    state.release(2)
    expect(state.step).toBe(1)
  })

  it('is complete with fewer when fewer are needed', async () => {
    const state = make(3)
    const lease = state.lease(0, 1)
    state.add(row(1), gives())
    state.add(row(2), gives())
    state.setCount(2)
    expect(await lease).toEqual({ taken: true, step: 0 })
    expect(() => state.setCount(0)).toThrow(RunError)
  })

  it('is thrown away when the step is set, once nobody uses it, and who waits is told', async () => {
    const state = make(1)
    const first = state.lease(0, 1)
    state.add(row(1), gives())
    await first
    const second = state.lease(0, 2)
    const setting = state.setStep(0)
    expect(await isSettled(setting)).toBe(false)
    state.settle(1)
    await setting
    expect(await second).toEqual({ taken: false, step: 1 })
    expect(state.step).toBe(0)
    const waiting = state.lease(0, 3)
    await state.setStep(0)
    expect(await waiting).toEqual({ taken: false, step: 0 })
  })

  it('is waited for while the accumulator is held, and nothing counts meanwhile', async () => {
    const state = new AccumulatorState('a', pair, 1, -1)
    const waits = [-1, 0, 5].map((step, run) => state.lease(step, run))
    expect([-1, 0].map((step) => state.add(row(1), gives(step)))).toEqual([false, false])
    expect(await isSettled(Promise.race(waits))).toBe(false)
    await state.setStep(5)
    expect(await Promise.all(waits)).toEqual(waits.map(() => ({ taken: false, step: 5 })))
    const held = state.lease(5, 7)
    await state.setStep(-1)
    expect(await isSettled(held)).toBe(false)
    await state.setStep(5)
    expect(await held).toEqual({ taken: false, step: 5 })
  })

  it('is not waited for by who has nothing in it and whom it lacks', async () => {
    const state = make(1)
    const give = (from: number) => state.add(row(1), gives(0, 1, from))
    // While a run has the set, what another gives is dropped; then that run ends, and more is needed by now.
    expect(give(0)).toBe(true)
    expect(await state.lease(0, 10, undefined, 0)).toEqual({ taken: true, step: 0 })
    expect(give(1)).toBe(false)
    const second = state.lease(0, 11, undefined, 1)
    state.setCount(2)
    expect(await isSettled(second)).toBe(false)
    state.release(10)
    expect(await second).toEqual({ taken: false, step: 0 })
    // It gives again; what the first gave is still there, whichever run of it asks.
    const first = state.lease(0, 12, undefined, 0)
    expect(await isSettled(first)).toBe(false)
    expect(give(1)).toBe(true)
    expect(await first).toEqual({ taken: true, step: 0 })
    // What was thrown away is given again as well.
    state.settle(12)
    state.add(row(1), gives(1, 1, 0))
    await state.setStep(1)
    expect(await state.lease(1, 13, undefined, 0)).toEqual({ taken: false, step: 1 })
  })

  it('is not taken by a wait that was aborted', async () => {
    const state = make(1)
    const abort = new AbortController()
    const waits = [state.take(1, abort.signal), state.lease(0, 1, abort.signal)]
    abort.abort(new Error('enough'))
    for (const wait of waits) await expect(wait).rejects.toThrow('enough')
    await expect(state.take(1, abort.signal)).rejects.toThrow('enough')
    state.add(row(1), gives())
    expect(state.gathered).toBe(1)
  })
})
