import { describe, expect, it } from 'vitest'
import {
  add,
  cond,
  constant,
  device,
  DTypeError,
  fifoQueue,
  identity,
  less,
  placeholder,
  reference,
  scan,
  Session,
  stringToNumber,
  whileLoop,
} from '../../index.ts'

const p = placeholder({ shape: [], dtype: 'bool', name: 'p' })

describe('bodies', () => {
  it('may answer constants', () => {
    const session = new Session()
    const chosen = cond(
      p,
      () => constant([1, 2]),
      () => constant([3, 4]),
    )
    expect(session.runSync(chosen, { p: true }).toArray()).toEqual([1, 2])
    const [, last] = whileLoop(
      (i) => less(i, 3),
      (i) => [add(i, 1), constant([5, 6])],
      [0, [1, 2]],
    )
    expect(session.runSync(last!).toArray()).toEqual([5, 6])
    const { results } = scan((state) => [state, [constant([7, 8])]], [0], [[1, 2]])
    expect(session.runSync(results[0]!).toArray()).toEqual([
      [7, 8],
      [7, 8],
    ])
  })

  it('may answer what the host makes', async () => {
    const queue = fifoQueue({ types: [{ dtype: 'float32', shape: [] }], capacity: 9, name: 'queue' })
    const [, last] = whileLoop(
      (i) => less(i, 2),
      (i) => [add(i, 1), queue.dequeue()[0]!],
      [0, 0],
    )
    const session = new Session()
    await session.run(queue.enqueue([7]))
    await session.run(queue.enqueue([8]))
    expect((await session.run(last!)).item()).toBe(8)
  })

  it('take strings that they capture, and answer them', () => {
    const fixed = constant(['a'])
    const fed = placeholder({ shape: [1], dtype: 'string', name: 'fed' })
    const session = new Session()
    for (const [text, feeds] of [
      [fixed, { p: true }],
      [fed, { p: true, fed: ['a'] }],
    ] as const) {
      const chosen = cond(
        p,
        () => identity(text),
        () => constant(['b']),
      )
      expect(session.runSync(chosen, feeds).toArray()).toEqual(['a'])
      expect(session.runSync(chosen, { ...feeds, p: false }).toArray()).toEqual(['b'])
    }
    const number = constant('2')
    const [count] = whileLoop(
      (i) => less(i, 3),
      (i) => [add(i, stringToNumber(number, { dtype: 'float32' }))],
      [0],
    )
    expect(session.runSync(count!).item()).toBe(4)
  })

  it('of loops carry no strings', () => {
    expect(() =>
      whileLoop(
        (i) => less(i, 3),
        (i, text) => [add(i, 1), text!],
        [0, constant('a')],
      ),
    ).toThrow(DTypeError)
    expect(() => scan((state) => [state, []], [0], [constant(['a', 'b'])])).toThrow(/sequence 0 is string/)
    expect(() => scan((state) => [state, [constant('a')]], [0], [[1, 2]])).toThrow(/result 0 of a step/)
  })
})

describe('strings on several devices', () => {
  it('are handed from one to the other', async () => {
    const text = placeholder({ shape: [2], dtype: 'string', name: 'text' })
    const here = device('reference:0', () => identity(text))
    const there = device('reference:1', () => identity(here))
    const session = new Session({ devices: [reference(), reference()] })
    expect((await session.run(there, { text: ['a', 'b'] })).toArray()).toEqual(['a', 'b'])
  })
})
