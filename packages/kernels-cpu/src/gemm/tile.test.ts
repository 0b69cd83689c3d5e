import { describe, expect, it } from 'vitest'
import { candidatesFor, chooseTile, type MeasuredTile } from './tile.ts'

const tiles = [
  { rows: 3, vectors: 3 },
  { rows: 2, vectors: 4 },
  { rows: 4, vectors: 4 },
  { rows: 8, vectors: 3 },
]

/** What register blocks cost on a machine of so many registers, in nanoseconds: half as fast where they spill. */
const machine = (registers: number): MeasuredTile[] =>
  tiles.map(({ rows, vectors }) => {
    const products = rows * vectors
    const spills = products + vectors + 1 > registers
    return { rows, vectors, nanoseconds: (products + 0.5 * rows + 0.5 * vectors) * (spills ? 0.5 : 0.25) }
  })

describe('chooseTile', () => {
  const large = { m: 960, n: 960, lanes: 4, relaxed: true }

  it('keeps to the registers that there are', () => {
    for (const registers of [15, 27]) {
      const { rows, vectors } = chooseTile({ ...large, registers })
      expect(rows * vectors).toBeGreaterThanOrEqual(8)
      expect(rows * vectors + vectors + 1).toBeLessThanOrEqual(registers)
    }
  })

  it('takes large blocks only where they were measured to pay', () => {
    const few = chooseTile({ ...large, registers: 15, measured: machine(15) })
    expect(few.rows * few.vectors + few.vectors + 1).toBeLessThanOrEqual(15)
    const many = chooseTile({ ...large, registers: 15, measured: machine(32) })
    expect(many.rows * many.vectors).toBeGreaterThanOrEqual(16)
  })

  it('fits the block to the shape', () => {
    expect(chooseTile({ m: 1, n: 3, lanes: 4, relaxed: true })).toEqual({ rows: 1, vectors: 1 })
    // 14 rows of 16 columns go without a rest in blocks of 2 × 16.
    expect(chooseTile({ m: 14, n: 16, lanes: 4, relaxed: true, registers: 15 })).toEqual({
      rows: 2,
      vectors: 4,
    })
  })
})

describe('candidatesFor', () => {
  it('has blocks that do not spill, fewer where products take a register of their own', () => {
    const [apart, fused] = [candidatesFor(false), candidatesFor(true)]
    expect(apart.length).toBeGreaterThan(1)
    for (const tile of apart) expect(fused).toContain(tile)
  })
})
