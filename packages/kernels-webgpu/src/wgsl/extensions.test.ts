// Kernels for features that few adapters have, compiled by one without a GPU that has them all.
import type { AttrValues, ConcreteType, Kernel } from '@shoal/core'
import { dtypes, E, sizeOf } from '@shoal/core'
import { afterAll, describe, expect, it } from 'vitest'
import { create } from 'webgpu'
import { type WebGpuDevice, webgpu } from '../webgpu.ts'

const entry = create(['backend=null'])
const adapter = (await entry.requestAdapter()) as GPUAdapter
const device = await webgpu({ adapter })
const plain = await webgpu({ adapter: (await entry.requestAdapter()) as GPUAdapter, features: [] })
afterAll(async () => {
  await device[Symbol.asyncDispose]()
  await plain[Symbol.asyncDispose]()
})

/** Binds a kernel to buffers of these types: how many texts that compiles. @throws ShaderError */
async function compiled(on: WebGpuDevice, kernel: Kernel, types: readonly ConcreteType[]): Promise<number> {
  const bytes = types.map(({ dtype, shape }) => dtypes[dtype].bytes * sizeOf(shape))
  const all = kernel.workspaceBytes > 0 ? [...bytes, kernel.workspaceBytes] : bytes
  const before = on.counts().pipelines
  await on.sequence!([{ kernel, args: all.map((size) => on.alloc(size)) }])
  return on.counts().pipelines - before
}

const half = (...shape: readonly number[]): ConcreteType => ({ dtype: 'float16', shape })
const whole = (...shape: readonly number[]): ConcreteType => ({ dtype: 'int32', shape })

/** Rows less their greatest numbers. */
const lowered = (rows: number, columns: number) => {
  const index = E.add(E.mul(E.axis(0), E.num(columns, 'int32')), E.axis(1))
  const x = E.load(0, index, 'float16')
  const length = rows * columns
  return {
    name: 'lowered',
    inputs: [{ dtype: 'float16', length }],
    axes: [rows, columns],
    reduced: 1,
    reductions: [{ combine: 'max', dtype: 'float32', term: x }],
    stores: [{ dtype: 'float16', length, index, value: E.sub(x, E.acc(0, 'float32')) }],
  } as const
}

it('can be left unused', () => {
  expect([device, plain].map(({ features }) => features.has('shader-f16'))).toEqual([true, false])
})

describe.each([
  ['with every feature', device],
  ['with none', plain],
])('%s', (_, on) => {
  it.each([
    [1, 300],
    [3, 20],
    [1, 40000],
  ])('reductions of %i rows of %i float16 compile', async (rows, columns) => {
    const kernel = await on.fuse(lowered(rows, columns))
    const types = [half(rows, columns), half(rows, columns)]
    expect(await compiled(on, kernel, types)).toBe(columns < 10000 ? 1 : 2)
  })

  it.each<[string, readonly ConcreteType[], readonly ConcreteType[], AttrValues]>([
    ['MatMul', [half(40, 24), half(24, 36)], [half(40, 36)], { transposeA: false, transposeB: false }],
    ['MatMul', [half(5, 7), half(7, 3)], [half(5, 3)], { transposeA: false, transposeB: false }],
    [
      'Cumulative',
      [half(3, 70)],
      [half(3, 70)],
      { axis: 1, combine: 'sum', exclusive: false, reverse: false },
    ],
    [
      'Conv',
      [half(2, 5, 4, 4), half(3, 3, 4, 8)],
      [half(2, 5, 4, 8)],
      { strides: [1, 1], padding: 'SAME', dilations: [1, 1], groups: 1 },
    ],
    ['TopK', [half(3, 70)], [half(3, 5), whole(3, 5)], { k: 5, axis: 1 }],
  ])('%s compiles for float16', async (op, inputs, outputs, attrs) => {
    const kernel = await on.kernel(op, { inputs, outputs, attrs })
    expect(await compiled(on, kernel, [...inputs, ...outputs])).toBeGreaterThan(0)
  })
})
