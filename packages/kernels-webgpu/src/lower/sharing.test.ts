import type { Expr, FusedKernel } from '@shoal/core'
import { E, sizeOf } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Target } from '../stage.ts'
import { share, type Sharing } from './sharing.ts'

const target: Target = { lanes: 256, workgroupBytes: 16384, maxBuffers: 8, features: new Set() }

/** Sums one input over the last `reduced` axes; `strides` says where it is read. */
function sums(axes: readonly number[], strides: readonly number[], reduced: number): FusedKernel {
  const kept = axes.slice(0, axes.length - reduced)
  const index = (of: readonly number[]): Expr =>
    of
      .map((stride, axis) => E.mul(E.axis(axis), E.num(stride, 'int32')))
      .reduce((a, b) => E.add(a, b), E.num(0, 'int32'))
  const rowMajor = kept.map((_, axis) => sizeOf(kept.slice(axis + 1)))
  return {
    name: 'sums',
    inputs: [{ dtype: 'float32', length: sizeOf(axes) }],
    axes,
    reduced,
    reductions: [{ combine: 'sum', dtype: 'float32', term: E.load(0, index(strides), 'float32') }],
    stores: [{ dtype: 'float32', length: sizeOf(kept), index: index(rowMajor), value: E.acc(0, 'float32') }],
  }
}
const rows = (points: number, terms: number): FusedKernel => sums([points, terms], [terms, 1], 1)
const columns = (points: number, terms: number): FusedKernel => sums([points, terms], [1, points], 1)

const lanesOf = ({ across, points, splits }: Sharing, kept: number): number =>
  across * points * splits * Math.ceil(kept / points)

describe('the sharing of a reduction', () => {
  it.each([
    ['softmax of 1024 × 1000', rows(1024, 1000), { across: 128, points: 1, along: true, splits: 1 }],
    ['layer norm of 1024 × 768', rows(1024, 768), { across: 128, points: 1, along: true, splits: 1 }],
    ['rows of 4096 × 1024', rows(4096, 1024), { across: 64, points: 1, along: true, splits: 1 }],
    ['columns of 4096 × 1024', columns(1024, 4096), { across: 8, points: 32, along: false, splits: 16 }],
    ['ten million numbers', rows(1, 1e7), { across: 256, points: 1, along: true, splits: 512 }],
    [
      'channels of 32 images of 56 × 56 × 64',
      columns(64, 32 * 56 * 56),
      { across: 8, points: 32, along: false, splits: 158 },
    ],
    [
      'channels of 32 images of 64 × 56 × 56',
      sums([64, 32, 3136], [3136, 64 * 3136, 1], 2),
      { across: 256, points: 1, along: true, splits: 8 },
    ],
    ['six channels of 73728', columns(6, 73728), { across: 32, points: 6, along: false, splits: 135 }],
    ['many short rows', rows(100000, 10), { across: 2, points: 32, along: true, splits: 1 }],
    ['many short columns', columns(1e6, 10), { across: 1, points: 64, along: false, splits: 1 }],
  ])('%s', (_, kernel, sharing) => {
    expect(share(kernel, target)).toEqual(sharing)
  })

  it('keeps a large GPU busy wherever there is enough to do', () => {
    for (const points of [1, 3, 32, 100, 1024, 10000])
      for (const kernel of [rows(points, 4e6 / points), columns(points, 4e6 / points)])
        expect(lanesOf(share(kernel, target), points)).toBeGreaterThanOrEqual(30000)
  })

  it('keeps to the lanes that there are', () => {
    for (const points of [1, 6, 33, 1000])
      for (const terms of [0, 1, 2, 100, 100000])
        for (const kernel of [rows(points, terms), columns(points, terms)]) {
          const { across, points: together } = share(kernel, { ...target, lanes: 128 })
          expect(across * together).toBeLessThanOrEqual(128)
          expect(Number.isInteger(Math.log2(across))).toBe(true)
        }
  })

  it('keeps to the workgroup memory that there is, however many reductions meet in it', () => {
    for (const count of [1, 16, 17, 40, 100])
      for (const kernel of [rows(4, 8192), rows(1000, 100), columns(6, 8192), columns(1000, 64)]) {
        const reductions = Array.from({ length: count }, () => kernel.reductions[0]!)
        const { across, points } = share({ ...kernel, reductions }, target)
        expect(4 * across * points * count).toBeLessThanOrEqual(target.workgroupBytes)
      }
  })

  it('does not split where there is no binding left for scratch memory', () => {
    expect(share(rows(1, 1e7), { ...target, maxBuffers: 2 }).splits).toBe(1)
  })
})
