import { describe, expect, it } from 'vitest'
import { orderBy } from './order.ts'

const before = (edges: Record<string, string[]>) => (item: string) => edges[item] ?? []

describe('orderBy', () => {
  it('keeps the given order where it may', () => {
    expect(orderBy(['c', 'a', 'b'], before({}))).toEqual(['c', 'a', 'b'])
  })
  it('puts what is needed first', () => {
    expect(orderBy(['c', 'a', 'b'], before({ c: ['b'], a: ['c'] }))).toEqual(['b', 'c', 'a'])
  })
  it('holds late items back', () => {
    expect(orderBy(['w', 'a', 'b'], before({}), { late: (item) => item === 'w' })).toEqual(['a', 'b', 'w'])
  })
  it('follows wishes, and reports those that it gives up', () => {
    expect(orderBy(['a', 'b'], before({}), { soft: [['b', 'a']] })).toEqual(['b', 'a'])
    const dropped: string[] = []
    expect(
      orderBy(['a', 'b'], before({ b: ['a'] }), {
        soft: [['b', 'a']],
        dropped: (x, y) => dropped.push(x + y),
      }),
    ).toEqual(['a', 'b'])
    expect(dropped).toEqual(['ba'])
  })
  it('refuses a cycle', () => {
    expect(() => orderBy(['a', 'b'], before({ a: ['b'], b: ['a'] }))).toThrow(RangeError)
  })
  it('orders a long chain', () => {
    const items = Array.from({ length: 20000 }, (_, i) => i)
    expect(orderBy([...items].reverse(), (i) => (i > 0 ? [i - 1] : []))).toEqual(items)
  })
})
