import { afterAll, describe, it } from 'vitest'
import { webgpu } from '../../webgpu.ts'
import { expectAgreement, type } from '../agreement.ts'

const device = await webgpu()
afterAll(() => device[Symbol.asyncDispose]())

interface Case {
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly attrs: Readonly<Record<string, unknown>>
}
const cases: readonly Case[] = [
  { x: [2, 6, 6, 3], y: [2, 3, 3, 3], attrs: { size: [2, 2], strides: [2, 2], padding: 'VALID' } },
  { x: [1, 7, 5, 5], y: [1, 4, 3, 5], attrs: { size: [3, 3], strides: [2, 2], padding: 'SAME' } },
  { x: [1, 6, 5, 2], y: [1, 6, 5, 2], attrs: { size: [3, 2], strides: [1, 1], padding: 'SAME' } },
  { x: [2, 9, 2], y: [2, 3, 2], attrs: { size: [2], strides: [3], padding: 'VALID' } },
  { x: [1, 11, 1], y: [1, 4, 1], attrs: { size: [3], strides: [2], dilations: [2], padding: 'VALID' } },
  {
    x: [1, 4, 4, 4, 2],
    y: [1, 2, 3, 5, 2],
    attrs: {
      size: [3, 2, 2],
      strides: [2, 2, 1],
      padding: 'EXPLICIT',
      explicitPadding: [1, 0, 0, 2, 1, 1],
    },
  },
  // Windows without any member, at both ends.
  {
    x: [1, 3, 1],
    y: [1, 4, 1],
    attrs: { size: [2], strides: [2], dilations: [2], padding: 'EXPLICIT', explicitPadding: [3, 4] },
  },
]

/** Runs an op over all geometries; shapes of its inputs and its output are those of x or of y. */
async function expectAll(
  op: string,
  inputs: readonly ('x' | 'y')[],
  output: 'x' | 'y',
  shapeOnly: number[] = [],
) {
  // Compiling takes longest: what does not depend on the dtype is not tried with all.
  for (const dtype of ['float32', 'float16', 'bfloat16'] as const)
    for (const { attrs, ...shapes } of dtype === 'float32' ? cases : cases.slice(1, 2))
      await expectAgreement(
        device,
        op,
        {
          inputs: inputs.map((name) => type(shapes[name], dtype)),
          outputs: [type(shapes[output], dtype)],
          attrs: attrs as never,
          shapeOnly: new Set(shapeOnly),
        },
        { float32: 1e-6, float16: 1e-3, bfloat16: 1e-2 }[dtype],
      )
}

describe('pooling', () => {
  it('finds the greatest of every window', () => expectAll('MaxPool', ['x'], 'y'))
  it('gives gradients to the greatest', () => expectAll('MaxPoolGrad', ['x', 'y'], 'x'))
  it('picks where the greatest is', () => expectAll('MaxPoolGradGrad', ['x', 'x'], 'y'))
  it('finds the mean of every window', () => expectAll('AvgPool', ['x'], 'y'))
  it('spreads gradients evenly', () => expectAll('AvgPoolGrad', ['x', 'y'], 'x', [0]))

  it('takes the first of equal elements, and NaN before all', async () => {
    const x = Float32Array.of(1, 1, Number.NaN, 2, -Infinity, -Infinity, 0, -0, Number.NaN, Number.NaN)
    const dy = Float32Array.of(1, 2, 3, 4, 5)
    const attrs = { size: [2], strides: [2], padding: 'VALID' }
    const [long, short] = [type([1, 10, 1]), type([1, 5, 1])]
    await expectAgreement(device, 'MaxPool', { inputs: [long], outputs: [short], attrs }, 0, [x])
    await expectAgreement(device, 'MaxPoolGrad', { inputs: [long, short], outputs: [long], attrs }, 0, [
      x,
      dy,
    ])
  })
})
