import { describe, expect, it } from 'vitest'
import { Contraction } from './contraction.ts'

describe('Contraction', () => {
  it('merges what nothing has to come between', () => {
    const graph = new Contraction(
      ['a', 'b', 'c'],
      [
        ['a', 'b'],
        ['b', 'c'],
      ],
    )
    expect(graph.merge('a', 'b')).toBe('a')
    expect(graph.order()).toEqual(['a', 'c'])
    expect(graph.find('b')).toBe('a')
  })
  it('refuses a merge that would make a cycle, and changes nothing', () => {
    const graph = new Contraction(
      ['a', 'b', 'c'],
      [
        ['a', 'b'],
        ['b', 'c'],
        ['a', 'c'],
      ],
    )
    expect(graph.merge('a', 'c')).toBeUndefined()
    expect(graph.order()).toEqual(['a', 'b', 'c'])
  })
  it('moves what comes between to its side', () => {
    const edges = [
      ['a', 'after'],
      ['before', 'b'],
      ['a', 'b'],
    ] as const
    const graph = new Contraction(['a', 'before', 'after', 'b'], edges)
    graph.merge('a', 'b')
    expect(graph.order()).toEqual(['before', 'a', 'after'])
  })
  it('keeps a random graph acyclic and in order whatever is merged', () => {
    let state = 7
    const below = (n: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return state % n
    }
    for (let round = 0; round < 50; round++) {
      const items = Array.from({ length: 30 }, (_, i) => i)
      const edges = Array.from(
        { length: 50 },
        () => [below(30), below(30)].sort((x, y) => x - y) as [number, number],
      )
      const graph = new Contraction(items, edges)
      let merges = 0
      for (let i = 0; i < 40; i++) if (graph.merge(below(30), below(30)) !== undefined) merges++
      expect(merges).toBeGreaterThan(0)
      const place = new Map(graph.order().map((item, i) => [item, i]))
      for (const [first, then] of edges) {
        const [a, b] = [graph.find(first), graph.find(then)]
        expect(a === b || place.get(a)! < place.get(b)!).toBe(true)
      }
    }
  })
})
