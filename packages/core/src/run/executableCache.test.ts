import { describe, expect, it } from 'vitest'
import { placeholder } from '../ops/graph/placeholder.ts'
import { ndarray } from '../ndarray.ts'
import { ExecutableCache } from './executableCache.ts'
import type { Executable } from './target.ts'

/** An executable without programs, which says in `freed` that it was freed. */
class Empty implements Executable {
  readonly programs = []
  readonly #name: string
  readonly #freed: string[]
  constructor(name: string, freed: string[]) {
    this.#name = name
    this.#freed = freed
  }
  check(): void {}
  run(): never[] {
    return []
  }
  free(): void {
    this.#freed.push(this.#name)
  }
}

describe('ExecutableCache', () => {
  it('tells apart what is fetched, what is fed, and of which types', () => {
    const cache = new ExecutableCache(4)
    const [a, b] = [placeholder({ shape: ['n'] }), placeholder({ shape: ['n'] })]
    const graph = (...fetches: (typeof a)[]) => ({ fetches, targets: [] })
    const [two, three] = [ndarray([1, 2]), ndarray([1, 2, 3])]
    const asked = [
      () => cache.keyOf(graph(a), new Map([[a, two]])),
      () => cache.keyOf(graph(a), new Map([[a, three]])),
      () => cache.keyOf(graph(a), new Map([[a, ndarray(Int32Array.of(1, 2))]])),
      () => cache.keyOf(graph(a), new Map([[b, two]])),
      () => cache.keyOf(graph(a, b), new Map([[a, two]])),
      () => cache.keyOf(graph(b), new Map([[a, two]])),
      () => cache.keyOf({ fetches: [], targets: [a.node] }, new Map([[a, two]])),
    ]
    // Twice each in a row, and all of them again.
    const keys = asked.map((ask) => [ask(), ask()])
    expect(keys).toEqual(keys.map(([key]) => [key, key]))
    expect(new Set(keys.flat()).size).toBe(asked.length)
    expect(asked.map((ask) => ask())).toEqual(keys.map(([key]) => key))
  })

  it('frees what was run the longest ago', () => {
    const freed: string[] = []
    const cache = new ExecutableCache(2)
    for (const name of ['a', 'b']) cache.put(name, new Empty(name, freed))
    cache.put('a', cache.take('a')!)
    cache.put('c', new Empty('c', freed))
    expect(freed).toEqual(['b'])
    expect([cache.take('b'), cache.take('a'), cache.take('c')].map(Boolean)).toEqual([false, true, true])
  })

  it('keeps to its limit when one graph runs several times at once, and keeps what comes after', () => {
    const freed: string[] = []
    const cache = new ExecutableCache(1)
    cache.put('a', new Empty('first', freed))
    cache.put('a', new Empty('second', freed))
    expect(freed).toEqual(['first', 'second'])
    const third = new Empty('third', freed)
    cache.put('a', third)
    expect(cache.take('a')).toBe(third)
    cache.clear()
    cache.put('a', third)
    expect(freed.at(-1)).toBe('third')
  })
})
