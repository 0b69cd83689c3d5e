import type { DType, Tensor } from '@shoal/core'
import {
  add,
  avgPool,
  cumSum,
  gradients,
  maximum,
  maxPool,
  mul,
  NDArray,
  placeholder,
  Session,
  sizeOf,
  sum,
  tanh,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { webgpu } from '../webgpu.ts'

/** Runs `build` on the GPU and on the reference device: a kernel whose name fits must have the rest fused to it, and values must agree. */
async function expectFollowed(
  kernel: RegExp,
  shape: readonly number[],
  build: (x: Tensor) => Tensor,
  dtype: DType = 'float32',
): Promise<void> {
  const x = placeholder({ shape, dtype, name: 'x' })
  const y = build(x)
  const wide = new NDArray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 1.7)),
  )
  const value = wide.cast(dtype)
  await using plain = new Session({ fusion: false })
  await using session = new Session({ devices: [await webgpu()] })
  const ops: string[] = []
  const feeds = [[x, value]] as const
  const expected = (await plain.run(y, feeds)).numbers() as number[]
  const actual = (
    await session.run(y, feeds, { onTrace: (events) => ops.push(...events.map((e) => e.op)) })
  ).numbers() as number[]
  expect(
    ops.some((op) => kernel.test(op)),
    ops.join(' '),
  ).toBe(true)
  const digits = dtype === 'float32' ? 4 : 2
  actual.forEach((each, i) => expect(each).toBeCloseTo(expected[i]!, digits))
}

describe('an epilogue', () => {
  it('follows a pooling', () =>
    expectFollowed(/^MaxPool\+/, [2, 7, 6, 3], (x) => tanh(add(maxPool(x, [2, 2], { strides: 2 }), 0.5))))

  it('follows a pooling of narrow floats', () =>
    expectFollowed(/^AvgPool\+/, [1, 5, 6, 3], (x) => mul(avgPool(x, [3, 3], { strides: 1 }), 3), 'float16'))

  it.each<[string, number]>([
    ['of one stage', 2],
    ['of two stages', 3],
  ])('follows the gradient of a pooling %s', (_, size) =>
    expectFollowed(/^MaxPoolGrad\+/, [1, 8, 9, 2], (x) => {
      const y = maxPool(maximum(x, 0.1), [size, size], { strides: 2, padding: 'SAME' })
      return gradients(sum(mul(y, y)), [x])[0]!
    }),
  )

  it('follows running totals of rows and of columns', async () => {
    await expectFollowed(/^Cumulative\+/, [2, 300], (x) => mul(cumSum(x, { axis: 1 }), 0.5))
    await expectFollowed(/^Cumulative\+/, [40, 33], (x) => mul(cumSum(x), 0.5))
  })
})
