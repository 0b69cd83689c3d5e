import { describe, expect, it } from 'vitest'
import { levelsOf } from './levels.ts'

const launch = (tasks: string, reads: readonly number[], writes: readonly number[]) => ({
  tasks: tasks.split(''),
  reads,
  writes,
})
const levels = (...launches: ReturnType<typeof launch>[]) => levelsOf(launches).map((level) => level.join(''))

describe('levelsOf', () => {
  it('puts what depends on nothing side by side', () => {
    expect(levels(launch('a', [1], [2]), launch('b', [1], [3]), launch('c', [], [4]))).toEqual(['abc'])
  })

  it('lets a reader wait for the writer, and stages for each other', () => {
    expect(levels(launch('ab', [1], [2]), launch('c', [2], [3]), launch('d', [1], [4]))).toEqual([
      'ad',
      'b',
      'c',
    ])
  })

  it('lets a writer wait for all who read or write what was there before', () => {
    expect(levels(launch('a', [1], [2]), launch('bc', [1], [3]), launch('d', [], [1]))).toEqual([
      'ab',
      'c',
      'd',
    ])
    expect(levels(launch('ab', [], [1]), launch('c', [], [1]), launch('d', [1], []))).toEqual([
      'a',
      'b',
      'c',
      'd',
    ])
  })

  it('knows updates in place', () => {
    expect(levels(launch('a', [1, 2], [1]), launch('b', [1, 3], [1]), launch('c', [2, 3], [2]))).toEqual([
      'a',
      'bc',
    ])
  })

  it('has no levels without tasks', () => {
    expect(levels(launch('', [1], [2]), launch('a', [2], [3]))).toEqual(['a'])
    expect(levels()).toEqual([])
  })
})
