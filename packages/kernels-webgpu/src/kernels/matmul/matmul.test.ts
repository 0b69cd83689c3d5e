import type { DType, Signature } from '@shoal/core'
import { broadcastShapes } from '@shoal/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { identityOf } from '../../schedules.ts'
import { targetOf } from '../../target.ts'
import { webgpu, type WebGpuDevice } from '../../webgpu.ts'
import { expectAgreement, type } from '../agreement.ts'
import { float16Product, matmulProduct, type Product, quantizedProduct } from './product.ts'
import { isLegal, matmulClass, type MatmulSchedule, type TiledSchedule } from './schedule.ts'

/** What the device under test takes for measured: it looks there whenever it compiles. */
const measured: Record<string, MatmulSchedule> = {}
let device: WebGpuDevice
beforeAll(async () => {
  const first = await webgpu()
  const adapter = identityOf(first.adapterInfo)
  await first[Symbol.asyncDispose]()
  device = await webgpu({ schedules: { adapter, matmul: measured } })
})
afterAll(() => device[Symbol.asyncDispose]())

type Layout = readonly [transposeA: boolean, transposeB: boolean]
const plain: Layout = [false, false]
const layouts: readonly (readonly [string, ...Layout])[] = [
  ['a · b', false, false],
  ['aᵀ · b', true, false],
  ['a · bᵀ', false, true],
  ['aᵀ · bᵀ', true, true],
]

const swapped = (shape: readonly number[], swap: boolean): readonly number[] =>
  swap ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape

/** The signature of a product of a [..., m, k] and b [..., k, n], before they are transposed. */
function product(
  a: readonly number[],
  b: readonly number[],
  [transposeA, transposeB]: Layout = plain,
  dtype: DType = 'float32',
): Signature {
  const batches = broadcastShapes(a.slice(0, -2), b.slice(0, -2)) as readonly number[]
  return {
    inputs: [type(swapped(a, transposeA), dtype), type(swapped(b, transposeB), dtype)],
    outputs: [type([...batches, a.at(-2)!, b.at(-1)!], dtype)],
    attrs: { transposeA, transposeB },
  }
}

const productsOf: Readonly<Record<string, (signature: Signature) => Product>> = {
  MatMul: matmulProduct,
  Float16MatMul: float16Product,
  QuantizedMatMul: (signature) => quantizedProduct(signature, targetOf(device.gpu, device.features)),
}

/** Expects agreement of a kernel that runs by this schedule. */
async function expectBy(
  schedule: MatmulSchedule,
  signature: Signature,
  tolerance: number,
  op = 'MatMul',
): Promise<void> {
  const of = productsOf[op]!(signature)
  expect(isLegal(schedule, of, targetOf(device.gpu, device.features)), JSON.stringify(schedule)).toBe(true)
  measured[matmulClass(of)] = schedule
  try {
    await expectAgreement(device, op, signature, tolerance)
  } finally {
    delete measured[matmulClass(of)]
  }
}

const tiled = (
  tile: TiledSchedule['tile'],
  perLane: TiledSchedule['perLane'],
  depth: number,
  splits = 1,
): TiledSchedule => ({ form: 'tiled', tile, perLane, depth, splits })
const small = tiled([16, 16], [4, 4], 8)

describe.each(layouts)('%s', (_, ...layout) => {
  it.each([
    [12, 1, 9],
    [5, 0, 6],
    [9, 2000, 10],
    [1, 300, 130],
    [130, 301, 1],
  ])('agrees for %i × %i × %i as the cost model chooses', async (m, k, n) => {
    await expectAgreement(device, 'MatMul', product([m, k], [k, n], layout), 1e-6 * Math.max(8, k))
  })
  it.each([
    ['full tiles', 32, 32, 16],
    ['ragged tiles of whole vectors', 20, 20, 36],
    ['ragged tiles of ragged vectors', 21, 35, 19],
    ['one step of k', 17, 1, 16],
  ])('agrees by tiles: %s', async (_, m, k, n) => {
    await expectBy(small, product([m, k], [k, n], layout), 1e-5)
  })
  it.each([
    ['whole vectors', 2, 68, 72],
    ['ragged vectors', 3, 69, 71],
  ])('agrees by shares of k: %s', async (_, few, k, many) => {
    const schedule: MatmulSchedule = { form: 'narrow', across: 8, columns: 4, splits: 1 }
    await expectBy(schedule, product([few, k], [k, many], layout), 1e-5)
    await expectBy(schedule, product([many, k], [k, few], layout), 1e-5)
  })
  it('agrees where k is split', async () => {
    await expectBy({ ...small, splits: 3 }, product([20, 100], [100, 20], layout), 2e-5)
    const narrow: MatmulSchedule = { form: 'narrow', across: 8, columns: 4, splits: 3 }
    await expectBy(narrow, product([3, 100], [100, 20], layout), 2e-5)
  })
})

describe('tiles', () => {
  it.each([
    [tiled([128, 128], [8, 8], 8), plain],
    [tiled([128, 64], [8, 4], 16), plain],
    [tiled([64, 128], [4, 8], 16), [true, true] as const],
    [tiled([64, 64], [8, 4], 16), [true, false] as const],
    [tiled([16, 64], [4, 4], 16), [false, true] as const],
    // Rows of neighbours that are longer than a workgroup has lanes.
    [tiled([8, 128], [8, 8], 8), plain],
  ])('agree by %j', async (schedule, layout) => {
    await expectBy(schedule, product([132, 20], [20, 68], layout), 1e-5)
  })
})

describe('batches', () => {
  it.each([
    ['on both sides', [2, 3, 17, 9], [2, 3, 9, 18]],
    ['of one matrix on the right', [2, 3, 17, 9], [9, 18]],
    ['of one matrix on the left', [17, 8], [2, 3, 8, 16]],
    ['that stretch each other', [2, 1, 17, 8], [1, 3, 8, 16]],
    ['of nothing', [0, 17, 9], [0, 9, 18]],
    ['without rows', [0, 1000], [1000, 5]],
    ['without columns', [17, 1000], [1000, 0]],
  ])('agree %s', async (_, a, b) => {
    const signature = product(a, b)
    await expectAgreement(device, 'MatMul', signature, 1e-5)
    await expectBy(small, signature, 1e-5)
    await expectBy({ ...small, splits: 2 }, signature, 1e-5)
  })
  it('agree of few rows', async () => {
    const schedule: MatmulSchedule = { form: 'narrow', across: 4, columns: 4, splits: 2 }
    await expectBy(schedule, product([2, 3, 2, 24], [3, 24, 20]), 1e-5)
  })
})

describe.each<[DType, number]>([
  ['float16', 0.01],
  ['bfloat16', 0.07],
  ['int8', 0],
  ['uint8', 0],
  ['int16', 0],
  ['int32', 0],
  ['uint32', 0],
])('%s', (dtype, tolerance) => {
  it.each<[string, number, number, Layout]>([
    ['whole vectors', 24, 20, [true, false]],
    ['ragged vectors', 23, 19, [false, true]],
  ])('agrees in every form: %s', async (_, k, n, layout) => {
    const narrow: MatmulSchedule = { form: 'narrow', across: 4, columns: 4, splits: 1 }
    await expectAgreement(device, 'MatMul', product([18, k], [k, n], layout, dtype), tolerance)
    await expectBy(small, product([18, k], [k, n], layout, dtype), tolerance)
    await expectBy(narrow, product([3, k], [k, n], layout, dtype), tolerance)
  })
})

describe('weights', () => {
  const forms: readonly MatmulSchedule[] = [
    { form: 'direct', splits: 1 },
    small,
    { ...small, splits: 2 },
    { form: 'narrow', across: 4, columns: 4, splits: 2 },
  ]
  it.each([
    ['Float16MatMul', 'float32', 'float16', 'float32', 48],
    ['Float16MatMul', 'float32', 'float16', 'float32', 45],
    ['QuantizedMatMul', 'int8', 'int8', 'int32', 80],
    ['QuantizedMatMul', 'int8', 'int8', 'int32', 84],
    ['QuantizedMatMul', 'int8', 'int8', 'int32', 45],
  ] as const)('%s of %s agrees with k in every form: %s, %s, %i', async (op, x, weights, y, k) => {
    for (const schedule of forms)
      for (const shape of schedule.form === 'narrow' ? [[5, k]] : [[3, 6, k]]) {
        const outputs = [type([...shape.slice(0, -1), 21], y)]
        const signature = { inputs: [type(shape, x), type([21, k], weights)], outputs, attrs: {} }
        await expectBy(schedule, signature, y === 'int32' ? 0 : 1e-5, op)
      }
  })
})
