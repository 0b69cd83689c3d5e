// How runs fail, stop and leave variables behind.
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  add,
  assertThat,
  cond,
  controlDependencies,
  device,
  fifoQueue,
  less,
  mul,
  placeholder,
  PlacementError,
  reference,
  scan,
  Session,
  UninitializedError,
  Variable,
  whileLoop,
} from '../index.ts'
import type { Tensor } from '../index.ts'

const p = placeholder({ shape: [], dtype: 'bool', name: 'p' })
/** A variable that nothing but an assignment gives a value. */
const bare = (name: string): Variable =>
  new Variable({ kind: 'variable', name, type: { dtype: 'float32', shape: [] }, trainable: false })

describe('a run that fails', () => {
  it('on one device ends the waits of the others', async () => {
    const queue = fifoQueue({ types: [{ dtype: 'float32', shape: [] }], capacity: 9, name: 'q' })
    const session = new Session({ devices: [reference(), reference()] })
    const failing = device('reference:0', () => assertThat(p, 'it does not hold'))
    const waiting = device('reference:1', () => mul(queue.dequeue()[0]!, 2))
    await expect(session.run([failing, waiting], { p: false })).rejects.toThrow('it does not hold')
    await session.close()
  })

  it('after an assignment leaves the variable with its value', async () => {
    const session = new Session()
    const v = bare('v')
    const set = v.assign(3)
    const failing = controlDependencies([set], () => assertThat(p, 'it does not hold'))
    await expect(session.run(failing, { p: false })).rejects.toThrow('it does not hold')
    expect((await session.run(v)).item()).toBe(3)
    await session.close()
  })

  it('before an assignment leaves the variable without one', async () => {
    const session = new Session()
    const v = bare('v')
    const set = controlDependencies([assertThat(p, 'it does not hold')], () => v.assign(3))
    await expect(session.run(set, { p: false })).rejects.toThrow('it does not hold')
    expect(await session.isInitialized(v)).toBe(false)
    await session.close()
  })
})

describe('a session', () => {
  it('tells which variables have no value', async () => {
    const session = new Session()
    const [a, b, c] = ['a', 'b', 'c'].map(bare) as [Variable, Variable, Variable]
    await session.run(b.assign(3))
    expect(await session.uninitialized([c, b, a])).toEqual([c, a])
    expect(await session.uninitialized([])).toEqual([])
    await session.close()
  })
})

describe('a branch', () => {
  const v = bare('v')
  const either = cond(
    p,
    () => v.assign(5),
    () => mul(new Variable(v.resource).read(), 2),
  )
  it('may give a variable its first value', async () => {
    const session = new Session()
    expect((await session.run(either, { p: true })).item()).toBe(5)
    expect((await session.run(either, { p: false })).item()).toBe(10)
    await session.close()
  })
  it('needs the values of the variables that it reads, when it runs', async () => {
    const session = new Session()
    await expect(session.run(either, { p: false })).rejects.toThrow(UninitializedError)
    await session.close()
  })
})

describe('a loop that never waits', () => {
  /** What becomes of a loop that is aborted at the first chance. */
  const aborted = async (loop: Tensor): Promise<void> => {
    const abort = new AbortController()
    await using session = new Session()
    setTimeout(() => abort.abort(new Error('enough')), 0)
    await session.run(loop, { start: 0 }, { signal: abort.signal })
  }
  const start = placeholder({ shape: [], name: 'start' })
  // Without a turn for the timer these would run to their ends.
  it('is aborted between two iterations', async () => {
    const [i] = whileLoop(
      (i) => less(i!, 300_000),
      (i) => [add(i!, 1)],
      [start],
    )
    await expect(aborted(i!)).rejects.toThrow('enough')
  })
  it('is aborted between two steps of a scan', async () => {
    const { state } = scan(([s]) => [[add(s!, 1)], []], [start], [], { length: 300_000 })
    await expect(aborted(state[0]!)).rejects.toThrow('enough')
  })
})

describe('a short run', () => {
  afterEach(() => vi.restoreAllMocks())

  it('is not parted by a turn that the time between runs has brought near', async () => {
    let now = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    await using session = new Session()
    const start = placeholder({ shape: [], name: 'start' })
    const { state } = scan(([s]) => [[add(s!, 1)], []], [start], [], { length: 20 })
    await session.run(state[0]!, { start: 0 })
    now += 49
    const later = vi.spyOn(globalThis, 'setTimeout')
    const running = session.run(state[0]!, { start: 0 })
    // By now the run has begun and has not gone on; what is left of it takes less than a turn.
    now += 2
    expect((await running).item()).toBe(20)
    expect(later).not.toHaveBeenCalled()
  })
})

describe('names of feeds', () => {
  it('are those of the graph that is fetched, however often it changes', async () => {
    const session = new Session()
    const [a, b] = [placeholder({ shape: [], name: 'a' }), placeholder({ shape: [], name: 'b' })]
    const y = mul(a, 2)
    expect((await session.run([y], { a: 1 }))[0].item()).toBe(2)
    const both = await session.run([y, add(a, b)], { b: 10, a: 1 })
    expect(both.map((value) => value.item())).toEqual([2, 11])
    await expect(session.run([y], { a: 1, b: 2 })).rejects.toThrow("nothing in the graph is named 'b'")
    await session.close()
  })
})

describe('placing', () => {
  it('refuses a node that touches variables of two devices', async () => {
    const session = new Session({ devices: [reference(), reference()] })
    const [a, b] = [bare('a'), bare('b')]
    await session.run(device('reference:0', () => a.assign(1)))
    await session.run(device('reference:1', () => b.assign(2)))
    const both = cond(
      p,
      () => add(a.assignAdd(1), b.assignAdd(1)),
      () => mul(1, 2),
    )
    await expect(session.run(both, { p: true })).rejects.toThrow(PlacementError)
    await session.close()
  })
})
