import type { DType, TypedArray } from '@shoal/core'
import { afterAll, describe, expect, it } from 'vitest'
import type { Target } from '../../stage.ts'
import { webgpu } from '../../webgpu.ts'
import { expectAgreement, type } from '../agreement.ts'
import { topK } from './topK.ts'

const device = await webgpu()
afterAll(() => device[Symbol.asyncDispose]())

const signature = (shape: readonly number[], k: number, largest: boolean, dtype: DType = 'float32') => ({
  inputs: [type(shape, dtype)],
  outputs: [type([...shape.slice(0, -1), k], dtype), type([...shape.slice(0, -1), k], 'int32')],
  attrs: { k, largest },
})
const expectOrder = (
  shape: readonly number[],
  k: number,
  largest: boolean,
  dtype?: DType,
  given?: readonly TypedArray[],
) => expectAgreement(device, 'TopK', signature(shape, k, largest, dtype), 0, given)

describe('TopK', () => {
  it('orders rows of every length up to a block, both ways', async () => {
    for (const [rows, size, k] of [
      [3, 1, 1],
      [70, 2, 2],
      [33, 5, 3],
      [2, 64, 64],
      [3, 300, 7],
      [1, 2048, 2048],
    ] as const)
      for (const largest of [true, false]) await expectOrder([rows, size], k, largest)
  })

  it('orders all dtypes', async () => {
    for (const dtype of ['float16', 'bfloat16', 'int8', 'uint8', 'int16', 'int32', 'uint32'] as const)
      await expectOrder([3, 40], 11, dtype !== 'int8', dtype)
  })

  it('keeps the order of equal elements, of both zeros too, and puts NaN above infinity', async () => {
    const x = Float32Array.of(2, 0, NaN, 7, -0, -Infinity, 7, Infinity, NaN, 0, -2, 1e-42, -1e-42)
    for (const largest of [true, false]) await expectOrder([13], 13, largest, 'float32', [x])
    const least = Int32Array.of(-(2 ** 31), 2 ** 31 - 1, 0, -1, -(2 ** 31), 2 ** 31 - 1)
    for (const largest of [true, false]) await expectOrder([6], 6, largest, 'int32', [least])
  })

  it('takes a few of rows that are longer than a block', async () => {
    await expectOrder([2, 5000], 3, true)
    await expectOrder([1, 4097], 900, false)
  })

  it('sorts rows that are longer than a block', async () => {
    await expectOrder([2, 2500], 2500, false)
    await expectOrder([1, 8300], 8300, true)
  })

  it('takes the rounds and merges that it should, in as little memory', () => {
    const target: Target = { lanes: 256, workgroupBytes: 16384, maxBuffers: 8, features: new Set() }
    const code = (size: number, k: number) =>
      topK.compile(signature([2, size], k, true), target, { firstOutput: 1, workspace: 3 } as never)
    expect(code(2048, 2048)).toMatchObject({ stages: { length: 1 }, workspaceBytes: 0 })
    // 25 blocks leave 1250 pairs, which are one block.
    expect(code(50257, 50)).toMatchObject({ stages: { length: 2 }, workspaceBytes: 2 * 1250 * 8 })
    // Blocks of 2^11: runs of 2^12 to 2^16 take 1, 1, 1, 2 and 2 stages across blocks, and one within each.
    expect(code(2 ** 16, 2 ** 16)).toMatchObject({ stages: { length: 13 }, workspaceBytes: 2 * 2 ** 16 * 8 })
  })
})
