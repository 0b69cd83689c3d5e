import { describe, expect, it } from 'vitest'
import type { Target } from '../../stage.ts'
import { random } from '../agreement.ts'
import { isLegal, lanesOf, type ProductSizes, sharingOf, tilesIn, tilingOf, vectorsOf } from './schedule.ts'

const target = (lanes: number, workgroupBytes: number): Target => ({
  lanes,
  workgroupBytes,
  maxBuffers: 8,
  features: new Set(),
})
const next = random(11)
/** A whole number from 1 on, small ones as often as large ones. */
const size = (largest: number): number => Math.max(1, Math.floor(largest ** Math.abs(next())))

describe('the tiles of a product', () => {
  it('are legal for all sizes on every GPU', () => {
    for (let i = 0; i < 2000; i++) {
      const gpu = target(256 * size(4), 16384 * size(4))
      const sizes: ProductSizes = {
        batches: size(64),
        rows: size(2 ** 20),
        columns: size(4096),
        depth: size(2 ** 18),
      }
      const tiling = tilingOf(sizes, gpu)
      const { rows, columns, depth, splits } = tiling
      const lanes = lanesOf(tiling)
      expect(isLegal(tiling, sizes, gpu)).toBe(true)
      expect(lanes).toBeLessThanOrEqual(gpu.lanes)
      expect(16 * vectorsOf(tiling)).toBeLessThanOrEqual(gpu.workgroupBytes)
      // Lanes read the vectors of a slice side by side: in whole passes, or in a part of one.
      for (const [quads, lines] of [
        [depth / 4, rows],
        [depth / 4, columns],
        [rows / 4, depth],
        [columns / 4, depth],
      ] as const) {
        expect(lanes % quads).toBe(0)
        const passes = (quads * lines) / lanes
        expect(passes < 1 || Number.isInteger(passes)).toBe(true)
      }
      expect(splits === 1 || sizes.depth / splits >= depth).toBe(true)
    }
  })
  it('may have been measured, and are taken if they are legal', () => {
    const sizes = { batches: 1, rows: 500, columns: 100, depth: 300 }
    const measured = { rows: 32, columns: 64, depth: 8, laneRows: 8, laneColumns: 8, splits: 2 }
    expect(tilingOf(sizes, target(256, 16384), measured)).toEqual(measured)
    for (const wrong of [{ rows: 48 }, { laneRows: 6 }, { columns: 1024 }, { splits: 100 }, { depth: 256 }]) {
      const tiling = { ...measured, ...wrong }
      expect(tilingOf(sizes, target(256, 16384), tiling)).not.toEqual(tiling)
    }
  })
  it('are the largest where there is work for all', () => {
    const sizes = { batches: 1, rows: 100352, columns: 256, depth: 1152 }
    expect(tilingOf(sizes, target(256, 32768))).toMatchObject({ rows: 128, columns: 64, splits: 1 })
  })
  it('are smaller on a GPU with less memory for a workgroup', () => {
    const sizes = { batches: 1, rows: 100352, columns: 256, depth: 1152 }
    expect(tilingOf(sizes, target(256, 16384))).toMatchObject({ rows: 64, columns: 64 })
  })
  it('share long sums where there are few elements', () => {
    const sizes = { batches: 1, rows: 25, columns: 32, depth: 25088 }
    const tiling = tilingOf(sizes, target(256, 32768))
    expect(tiling.splits).toBeGreaterThan(1)
    expect(tilesIn(sizes, tiling) * tiling.splits).toBeGreaterThan(100)
  })
  it('leave short sums whole', () => {
    expect(tilingOf({ batches: 1, rows: 6272, columns: 64, depth: 800 }, target(256, 32768)).splits).toBe(1)
  })
})

describe('the shares of a filter gradient', () => {
  it('are legal for all sizes', () => {
    for (let i = 0; i < 2000; i++) {
      const [elements, lines] = [size(2 ** 16), size(2 ** 16)]
      const sharing = sharingOf(elements, lines)
      expect(sharing.elements * sharing.shares).toBeLessThanOrEqual(128)
      expect(Number.isInteger(Math.log2(sharing.shares))).toBe(true)
      expect(Number.isInteger(sharing.splits) && sharing.splits >= 1).toBe(true)
      expect(sharing.splits === 1 || lines / sharing.splits >= sharing.shares).toBe(true)
    }
  })
})
