import { AttrError, constant, IndexedSlices, Session, variable } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Clip } from './clip.ts'
import { clipByGlobalNorm, clipByNorm, clipByValue, globalNorm } from './clip.ts'
import type { GradientPair } from './optimizer.ts'

const table = variable(
  [
    [0, 0],
    [0, 0],
    [0, 0],
  ],
  { name: 'table' },
)
const v = variable([0, 0], { name: 'v' })
/** Row 1 was read twice: its gradient is [3, 0]. */
const rows = new IndexedSlices(
  constant([
    [1, 0],
    [2, 0],
    [0, 4],
  ]),
  constant([1, 1, 2], 'int32'),
  table.read(),
)

function clipped(clip: Clip, ...pairs: GradientPair[]): unknown[] {
  return clip(pairs).map(([gradient]) =>
    new Session().runSync(gradient instanceof IndexedSlices ? gradient.values : gradient).toArray(),
  )
}

describe('clipping', () => {
  it('by value', () => {
    expect(clipped(clipByValue(2), [constant([-5, 1]), v])).toEqual([[-2, 1]])
  })
  it('by value, after equal rows were added up', () => {
    expect(clipped(clipByValue(2.5), [rows, table])).toEqual([
      [
        [2.5, 0],
        [0, 0],
        [0, 2.5],
      ],
    ])
  })
  it('by the norm of each gradient', () => {
    const pairs: GradientPair[] = [
      [constant([3, 4]), v],
      [constant([0.3, 0.4]), v],
      [rows, table],
    ]
    const [long, short, sparse] = clipped(clipByNorm(1), ...pairs) as [number[], number[], number[][]]
    expect(long).toEqual([expect.closeTo(0.6), expect.closeTo(0.8)])
    expect(short).toEqual([expect.closeTo(0.3), expect.closeTo(0.4)])
    expect(sparse).toEqual([
      [expect.closeTo(0.6), 0],
      [0, 0],
      [0, expect.closeTo(0.8)],
    ])
  })
  it('by the norm of all together', () => {
    // 5 and 12: together 13.
    const pairs: GradientPair[] = [
      [rows, table],
      [constant([0, 12], 'float64'), v],
    ]
    const [sparse, dense] = clipped(clipByGlobalNorm(6.5), ...pairs) as [number[][], number[]]
    expect(sparse.flat()).toEqual([1.5, 0, 0, 0, 0, 2].map((x) => expect.closeTo(x)))
    expect(dense).toEqual([0, expect.closeTo(6)])
    expect(clipped(clipByGlobalNorm(20), ...pairs)[1]).toEqual([0, 12])
  })
  it('leaves zeros alone, and makes zeros when nothing is allowed', () => {
    expect(clipped(clipByNorm(1), [constant([0, 0]), v])).toEqual([[0, 0]])
    expect(clipped(clipByGlobalNorm(0), [constant([3, 4]), v])).toEqual([[0, 0]])
  })
  it('globalNorm adds equal rows up first', () => {
    expect(new Session().runSync(globalNorm([rows, constant([0, 12])])).item()).toBeCloseTo(13)
  })
  it('refuses negative limits', () => {
    for (const make of [clipByValue, clipByNorm, clipByGlobalNorm]) expect(() => make(-1)).toThrow(AttrError)
  })
})
