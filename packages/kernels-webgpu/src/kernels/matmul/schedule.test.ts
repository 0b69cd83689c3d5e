import type { Signature } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Target } from '../../stage.ts'
import { random, type } from '../agreement.ts'
import { matmulProduct, type Product } from './product.ts'
import {
  chooseSchedule,
  isLegal,
  isMatmulSchedule,
  lanesOf,
  matmulCandidates,
  matmulClass,
  partialBytes,
  type TiledSchedule,
} from './schedule.ts'

const least: Target = { lanes: 256, workgroupBytes: 16384, maxBuffers: 8, features: new Set() }
const large: Target = { ...least, lanes: 1024, workgroupBytes: 49152 }

function product(
  m: number,
  k: number,
  n: number,
  transposeA = false,
  transposeB = false,
  batches = 1,
): Product {
  const signature: Signature = {
    inputs: [
      type(transposeA ? [batches, k, m] : [batches, m, k]),
      type(transposeB ? [batches, n, k] : [batches, k, n]),
    ],
    outputs: [type([batches, m, n])],
    attrs: { transposeA, transposeB },
  }
  return matmulProduct(signature)
}

/** Sizes from 1 to some 4,000, small ones as often as large ones. */
function randomProducts(count: number): Product[] {
  const next = random(3)
  const upTo = (bits: number): number => Math.ceil(2 ** (Math.abs(next()) * bits))
  return Array.from({ length: count }, () =>
    product(upTo(12), upTo(12), upTo(12), next() < 0, next() < 0, upTo(4)),
  )
}

describe('the schedule of a product', () => {
  it('is legal whatever the sizes, as are all that are tried', () => {
    for (const target of [least, large])
      for (const of of randomProducts(400)) {
        const candidates = matmulCandidates(of, target)
        expect(candidates.length).toBeGreaterThan(0)
        expect(candidates.every((schedule) => isLegal(schedule, of, target))).toBe(true)
        expect(candidates.every((schedule) => isMatmulSchedule(structuredClone(schedule)))).toBe(true)
        expect(chooseSchedule(of, target)).toEqual(candidates[0])
        expect(lanesOf(candidates[0]!)).toBeLessThanOrEqual(target.lanes)
        expect(partialBytes(of, candidates[0]!.splits)).toBeLessThanOrEqual(2 ** 26)
      }
  })
  it('gives large products large tiles', () => {
    expect(chooseSchedule(product(2048, 2048, 2048), least)).toMatchObject({ tile: [128, 128], splits: 1 })
    expect(chooseSchedule(product(512, 512, 512), least)).toMatchObject({ form: 'tiled' })
  })
  it('splits a long k where there are few tiles', () => {
    const schedule = chooseSchedule(product(32, 65536, 64, true), least) as TiledSchedule
    expect(schedule.form).toBe('tiled')
    expect(schedule.splits).toBeGreaterThan(8)
    expect(chooseSchedule(product(2, 1_000_000, 3), least).splits).toBeGreaterThan(8)
  })
  it('shares k among lanes where a matrix meets a vector', () => {
    expect(chooseSchedule(product(1, 4096, 4096), least)).toMatchObject({ form: 'narrow', splits: 1 })
    expect(chooseSchedule(product(4096, 4096, 1), least)).toMatchObject({ form: 'narrow', splits: 1 })
  })
  it('makes no fuss about little work', () => {
    expect(chooseSchedule(product(16, 16, 16), least)).toEqual({ form: 'direct', splits: 1 })
    expect(chooseSchedule(product(12, 8, 12, false, false, 4096), least)).toEqual({
      form: 'direct',
      splits: 1,
    })
  })
  it('is what was measured for sizes of its class, if that is legal', () => {
    const tiled: TiledSchedule = { form: 'tiled', tile: [64, 32], perLane: [4, 4], depth: 16, splits: 2 }
    const of = product(1000, 600, 900)
    const adapter = { vendor: '', architecture: '', device: '', description: '' }
    const with_ = (schedule: TiledSchedule): Target => ({
      ...least,
      schedules: { adapter, matmul: { [matmulClass(product(1024, 1024, 1024))]: schedule } },
    })
    expect(chooseSchedule(of, with_(tiled))).toBe(tiled)
    expect(chooseSchedule(of, with_({ ...tiled, tile: [256, 256] }))).toEqual(chooseSchedule(of, least))
    expect(chooseSchedule(product(500, 600, 900), with_(tiled))).toEqual(
      chooseSchedule(product(500, 600, 900), least),
    )
  })
})

describe('legality', () => {
  const of = product(300, 300, 300)
  const tiled: TiledSchedule = { form: 'tiled', tile: [64, 64], perLane: [4, 4], depth: 16, splits: 1 }
  it.each<[string, object]>([
    ['too many lanes', { tile: [128, 128] }],
    ['sizes that are no powers of two', { tile: [48, 64] }],
    ['registers that are no vectors', { perLane: [2, 4] }],
    ['too little to fetch for every lane', { depth: 4 }],
    ['too much workgroup memory', { depth: 64 }],
    ['more parts than steps of k', { splits: 301 }],
    ['parts of steps', { splits: 0.5 }],
  ])('knows %s', (_, change) => {
    expect(isLegal(tiled, of, least)).toBe(true)
    expect(isLegal({ ...tiled, ...change }, of, least)).toBe(false)
  })
  it('knows the narrow form by its sums', () => {
    const narrow = { form: 'narrow', across: 32, columns: 8, splits: 1 } as const
    expect(isLegal(narrow, product(8, 300, 301), least)).toBe(true)
    expect(isLegal(narrow, product(9, 300, 301), least)).toBe(false)
    expect(isLegal(narrow, product(8, 300, 300), least)).toBe(false)
  })
})

describe('a class of products', () => {
  it('is of sizes up to the next powers of two, and of a layout', () => {
    expect(matmulClass(product(1000, 600, 900))).toBe('f32 nn 1x1024x1024x1024')
    expect(matmulClass(product(1000, 64, 65, true, true, 3))).toBe('f32 tt 4x1024x64x128')
  })
})

describe('plain data', () => {
  it.each([
    null,
    3,
    {},
    { form: 'direct' },
    { form: 'tiled', tile: [1], perLane: [4, 4], depth: 8, splits: 1 },
    { form: 'narrow', across: 0, columns: 1, splits: 1 },
  ])('that is no schedule is refused: %j', (value) => expect(isMatmulSchedule(value)).toBe(false))
})
