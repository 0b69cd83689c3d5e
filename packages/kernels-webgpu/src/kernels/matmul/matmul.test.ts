import type { DType, Signature } from '@shoal/core'
import { broadcastShapes } from '@shoal/core'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { webgpu, type WebGpuDevice } from '../../webgpu.ts'
import { expectAgreement, type } from '../agreement.ts'

let device: WebGpuDevice
beforeAll(async () => {
  device = await webgpu()
})
afterAll(() => device[Symbol.asyncDispose]())

const layouts = [
  ['a · b', false, false],
  ['aᵀ · b', true, false],
  ['a · bᵀ', false, true],
  ['aᵀ · bᵀ', true, true],
] as const

const swapped = (shape: readonly number[], swap: boolean): readonly number[] =>
  swap ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape

/** The signature of a product of a [..., m, k] and b [..., k, n], before they are transposed. */
function product(
  a: readonly number[],
  b: readonly number[],
  [transposeA, transposeB]: readonly [boolean, boolean] = [false, false],
  dtype: DType = 'float32',
): Signature {
  const batches = broadcastShapes(a.slice(0, -2), b.slice(0, -2)) as readonly number[]
  return {
    inputs: [type(swapped(a, transposeA), dtype), type(swapped(b, transposeB), dtype)],
    outputs: [type([...batches, a.at(-2)!, b.at(-1)!], dtype)],
    attrs: { transposeA, transposeB },
  }
}

describe.each(layouts)('%s', (_, ...transposed) => {
  it.each([
    [16, 16, 16],
    [33, 17, 35],
    [64, 32, 64],
    [68, 20, 36],
    [12, 1, 9],
    [9, 2000, 10],
    [1, 300, 130],
    [1, 64, 128],
    [130, 301, 1],
    [128, 64, 1],
    [3, 77, 50],
    [8, 128, 64],
    [50, 20, 7],
    [2, 9000, 3],
    [1, 1, 1],
    [5, 0, 6],
  ])('agrees for %i × %i × %i', async (m, k, n) => {
    await expectAgreement(device, 'MatMul', product([m, k], [k, n], transposed), 1e-6 * Math.max(8, k))
  })
})
