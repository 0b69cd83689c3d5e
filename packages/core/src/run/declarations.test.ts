import { describe, expect, it } from 'vitest'
import {
  add,
  constant,
  fifoQueue,
  fromGraphDef,
  mul,
  NameError,
  Session,
  toGraphDef,
  Variable,
  variable,
} from '../index.ts'

const float = [{ dtype: 'float32', shape: [] }] as const

describe('one name in one session', () => {
  it('means one variable: another with another initial value is refused', async () => {
    const session = new Session()
    const [a, b] = [variable([1, 2], { name: 'w' }), variable([3, 4], { name: 'w' })]
    await session.initialize(a)
    await expect(session.initialize(b)).rejects.toThrow(NameError)
    await expect(session.run(b)).rejects.toThrow("two variables are named 'w', with other initial values")
    await expect(session.isInitialized(b)).rejects.toThrow(NameError)
    expect((await session.run(a)).toArray()).toEqual([1, 2])
    await session.close()
  })

  it('is the same variable when it was written and read again', async () => {
    const session = new Session()
    const w = variable(mul(constant([1, 2]), 3), { name: 'w' })
    await session.initialize(w)
    await session.run(w.assignAdd([1, 1]))
    const again = fromGraphDef(toGraphDef({ w: w.read() }))
    expect((await session.run(again.fetches.get('w')!)).toArray()).toEqual([4, 7])
    await session.close()
  })

  it('is the same variable to a declaration that does not say how it starts', async () => {
    const session = new Session()
    const w = variable([1, 2], { name: 'w' })
    await session.initialize(w)
    const { kind, name, type, trainable } = w.resource
    expect((await session.run(new Variable({ kind, name, type, trainable }))).toArray()).toEqual([1, 2])
    await session.close()
  })

  it('means one queue: of one type and capacity', async () => {
    const session = new Session()
    const small = fifoQueue({ types: float, capacity: 1, name: 'q' })
    const large = fifoQueue({ types: float, capacity: 9, name: 'q' })
    const twin = fifoQueue({ types: float, capacity: 1, name: 'q' })
    await session.run(small.enqueue([7]))
    await expect(session.run(large.dequeue())).rejects.toThrow("two queues are named 'q'")
    expect((await session.run(twin.dequeue()))[0]!.item()).toBe(7)
    await session.close()
  })

  it('is not for two things of one graph', async () => {
    const [a, b] = [0, 1].map(() => fifoQueue({ types: float, capacity: 1, name: 'q' }))
    const session = new Session()
    await expect(session.run(add(a!.size(), b!.size()))).rejects.toThrow("two queues are named 'q': give one")
    await session.close()
  })
})
