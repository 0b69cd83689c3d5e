// Queues and mutexes between the runs of a session: waiting, closing, aborting, failing.
import { describe, expect, it } from 'vitest'
import { AttrError, ClosedError, DTypeError, RunError, ShapeError } from '../../errors.ts'
import { controlDependencies } from '../../graph/scope.ts'
import { Session } from '../../run/session.ts'
import { assertThat } from '../debug/assertThat.ts'
import { placeholder } from '../graph/placeholder.ts'
import { add } from '../math/add.ts'
import { mul } from '../math/mul.ts'
import { critical, mutex } from './mutex.ts'
import { fifoQueue, shuffleQueue } from './queue.ts'
import { variable } from './variable.ts'

const scalars = [{ dtype: 'float32', shape: [] }] as const

describe('queues', () => {
  it('let a run wait for another', async () => {
    const session = new Session()
    const queue = fifoQueue({ types: scalars, capacity: 2 })
    const [taken] = queue.dequeueMany(3)
    const waiting = session.run(mul(taken!, 10))
    await session.run(queue.enqueueMany([[1, 2, 3]]))
    expect((await waiting).toArray()).toEqual([10, 20, 30])
  })

  it('lose nothing when a waiting run is aborted, and the session goes on', async () => {
    const session = new Session()
    const queue = fifoQueue({ types: scalars, capacity: 4 })
    await session.run(queue.enqueueMany([[1, 2]]))
    const abort = new AbortController()
    const waiting = session.run(queue.dequeueMany(3)[0]!, undefined, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect((await session.run(queue.dequeueMany(2)[0]!)).toArray()).toEqual([1, 2])
  })

  it('refuse elements once closed', async () => {
    const session = new Session()
    const queue = fifoQueue({ types: scalars, capacity: 4, name: 'shut' })
    await session.run(queue.close())
    await expect(session.run(queue.enqueue([1]))).rejects.toThrow(ClosedError)
    await expect(session.run(queue.dequeue())).rejects.toThrow(ClosedError)
  })

  it('shuffle the same way for the same seed', async () => {
    const drawn = async (seed: number): Promise<unknown> => {
      const session = new Session()
      const queue = shuffleQueue({ types: scalars, capacity: 32, seed })
      await session.run(queue.enqueueMany([Float32Array.from({ length: 16 }, (_, i) => i)]))
      return (await session.run(queue.dequeueMany(16)[0]!)).toArray()
    }
    const first = (await drawn(3)) as number[]
    expect(await drawn(3)).toEqual(first)
    expect(await drawn(4)).not.toEqual(first)
    expect(first.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 16 }, (_, i) => i))
    expect(first).not.toEqual(Array.from({ length: 16 }, (_, i) => i))
  })

  it('check what is put in while the graph is built', () => {
    const queue = fifoQueue({ types: [{ dtype: 'float32', shape: [2] }], capacity: 1 })
    expect(() => queue.enqueue([[1n, 2n]])).toThrow(DTypeError)
    expect(() => queue.enqueue([[1, 2, 3]])).toThrow(ShapeError)
    expect(() => queue.enqueue([[1, 2], 3])).toThrow('have 1 components, got 2')
    expect(() => fifoQueue({ types: [], capacity: 0 })).toThrow(AttrError)
    expect(() => shuffleQueue({ types: [], capacity: 2, minAfterDequeue: 2 })).toThrow('below the capacity')
  })
})

describe('mutexes', () => {
  it('keep read and write together over concurrent runs', async () => {
    const session = new Session()
    const count = variable(0)
    await session.initialize([count.read()])
    const lock = mutex()
    const step = critical(lock, () => count.assign(add(count.read(), 1)))
    await Promise.all(Array.from({ length: 8 }, () => session.run(step)))
    expect((await session.run(count.read())).item()).toBe(8)
  })

  it('are released when the run that holds one fails', async () => {
    const session = new Session()
    const lock = mutex()
    const x = placeholder({ shape: [], dtype: 'bool' })
    const guarded = critical(lock, () =>
      controlDependencies([assertThat(x, 'must be true')], () => mul(2, 3)),
    )
    await expect(session.run(guarded, new Map([[x, false]]))).rejects.toThrow(RunError)
    expect((await session.run(guarded, new Map([[x, true]]))).item()).toBe(6)
  })

  it('are released when the wait inside is aborted', async () => {
    const session = new Session()
    const lock = mutex()
    const queue = fifoQueue({ types: scalars, capacity: 1 })
    const guarded = critical(lock, () => queue.dequeue()[0]!)
    const abort = new AbortController()
    const first = session.run(guarded, undefined, { signal: abort.signal })
    const second = session.run(guarded)
    abort.abort(new Error('enough'))
    await expect(first).rejects.toThrow('enough')
    await session.run(queue.enqueue([5]))
    expect((await second).item()).toBe(5)
  })

  it('cannot be unlocked by a run that does not hold one', async () => {
    await expect(new Session().run(mutex().unlock())).rejects.toThrow('not locked by this run')
  })
})
