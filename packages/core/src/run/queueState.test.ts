// A queue alone: order, capacity, waiting, closing and aborting.
import { describe, expect, it } from 'vitest'
import { ClosedError } from '../errors.ts'
import { QueueState } from './queueState.ts'

const make = (capacity = 4) => new QueueState<number>({ name: 'q', capacity })
const settled = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending')
  await Promise.resolve()
  await Promise.resolve()
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending
}

describe('QueueState', () => {
  it('gives elements in the order in which they came', async () => {
    const queue = make()
    await queue.enqueue([1, 2, 3])
    expect(queue.size).toBe(3)
    expect(await queue.dequeue(2)).toEqual([1, 2])
    expect(await queue.dequeue(1)).toEqual([3])
  })

  it('makes an enqueue wait for room and lets it in when there is some', async () => {
    const queue = make(2)
    const late = queue.enqueue([1, 2, 3])
    expect(await settled(late)).toBe(false)
    expect(await queue.dequeue(1)).toEqual([1])
    await late
    expect(await queue.dequeue(2)).toEqual([2, 3])
  })

  it('passes more elements through than it can hold', async () => {
    const queue = make(1)
    const all = queue.dequeue(5)
    await queue.enqueue([1, 2, 3, 4, 5])
    expect(await all).toEqual([1, 2, 3, 4, 5])
  })

  it('serves waiting dequeues in the order in which they came, however large', async () => {
    const queue = make()
    const large = queue.dequeue(3)
    const small = queue.dequeue(1)
    await queue.enqueue([1])
    expect(await settled(small)).toBe(false)
    await queue.enqueue([2, 3, 4])
    expect(await large).toEqual([1, 2, 3])
    expect(await small).toEqual([4])
  })

  it('takes nothing out for a dequeue that is aborted', async () => {
    const queue = make()
    const abort = new AbortController()
    const waiting = queue.dequeue(3, abort.signal)
    await queue.enqueue([1, 2])
    abort.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
    expect(await queue.dequeue(2)).toEqual([1, 2])
  })

  it('gives back what an aborted dequeue larger than the queue had taken', async () => {
    const queue = make(2)
    const abort = new AbortController()
    const waiting = queue.dequeue(5, abort.signal)
    await queue.enqueue([1, 2, 3])
    abort.abort(new Error('stop'))
    await expect(waiting).rejects.toThrow('stop')
    expect(await queue.dequeue(3)).toEqual([1, 2, 3])
  })

  it('lets the next in line go on when the first is aborted', async () => {
    const queue = make()
    const abort = new AbortController()
    const first = queue.dequeue(3, abort.signal)
    const second = queue.dequeue(1)
    await queue.enqueue([7])
    abort.abort(new Error('stop'))
    await expect(first).rejects.toThrow('stop')
    expect(await second).toEqual([7])
  })

  it('refuses at once what is aborted already', async () => {
    const abort = new AbortController()
    abort.abort(new Error('stop'))
    await expect(make().enqueue([1], abort.signal)).rejects.toThrow('stop')
  })

  it('takes no more elements once closed, but gives those that it has', async () => {
    const queue = make()
    await queue.enqueue([1, 2, 3])
    queue.close()
    expect(queue.isClosed).toBe(true)
    await expect(queue.enqueue([4])).rejects.toThrow(ClosedError)
    await expect(queue.dequeue(4)).rejects.toThrow(
      "queue 'q' is closed and has 3 elements left where 4 are wanted",
    )
    expect(await queue.dequeueUpTo(2)).toEqual([1, 2])
    expect(await queue.dequeueUpTo(2)).toEqual([3])
    await expect(queue.dequeueUpTo(2)).rejects.toThrow(ClosedError)
  })

  it('fails a waiting dequeue when it is closed too short', async () => {
    const queue = make()
    const waiting = queue.dequeue(2)
    await queue.enqueue([1])
    queue.close()
    await expect(waiting).rejects.toThrow(ClosedError)
    expect(queue.size).toBe(1)
  })

  it('lets waiting enqueues finish after closing, unless they are cancelled', async () => {
    const kept = make(1)
    const finishing = kept.enqueue([1, 2])
    kept.close()
    expect(await kept.dequeue(2)).toEqual([1, 2])
    await finishing
    const cancelled = make(1)
    const failing = cancelled.enqueue([1, 2])
    cancelled.close({ cancelPending: true })
    await expect(failing).rejects.toThrow(ClosedError)
    expect(await cancelled.dequeueUpTo(2)).toEqual([1])
  })

  it('keeps the least number of elements that a choice needs until it is closed', async () => {
    const queue = new QueueState<number>({
      name: 's',
      capacity: 5,
      minAfterDequeue: 2,
      choose: (size) => size - 1,
    })
    await queue.enqueue([1, 2, 3])
    expect(await queue.dequeue(1)).toEqual([3])
    const waiting = queue.dequeue(1)
    expect(await settled(waiting)).toBe(false)
    queue.close()
    expect(await waiting).toEqual([2])
    expect(await queue.dequeue(1)).toEqual([1])
  })
})
