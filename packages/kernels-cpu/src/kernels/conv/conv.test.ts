import type { AttrValues, Signature } from '@shoal/core'
import { sizeOf } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { cpu } from '../../cpu.ts'
import { candidatesFor } from '../../gemm/tile.ts'
import { answersOf, expectAgreement, random, type } from '../agreement.ts'

interface ConvCase {
  readonly x: number[]
  readonly filter: number[]
  readonly y: number[]
  readonly attrs: AttrValues
}
const convCases: ConvCase[] = [
  { x: [2, 9, 8, 3], filter: [3, 3, 3, 5], y: [2, 9, 8, 5], attrs: { padding: 'SAME', groups: 1 } },
  { x: [1, 9, 8, 3], filter: [3, 2, 3, 20], y: [1, 7, 7, 20], attrs: { padding: 'VALID', groups: 1 } },
  { x: [2, 6, 5, 8], filter: [1, 1, 8, 9], y: [2, 6, 5, 9], attrs: { padding: 'VALID', groups: 1 } },
  {
    x: [2, 9, 8, 3],
    filter: [3, 3, 3, 5],
    y: [2, 5, 4, 5],
    attrs: { padding: 'SAME', strides: [2, 2], groups: 1 },
  },
  {
    x: [1, 11, 9, 2],
    filter: [3, 2, 2, 4],
    y: [1, 3, 8, 4],
    attrs: { padding: 'VALID', strides: [3, 1], groups: 1 },
  },
  {
    x: [1, 11, 12, 2],
    filter: [3, 3, 2, 4],
    y: [1, 7, 6, 4],
    attrs: { padding: 'VALID', dilations: [2, 3], groups: 1 },
  },
  { x: [1, 9, 9, 6], filter: [3, 3, 2, 9], y: [1, 9, 9, 9], attrs: { padding: 'SAME', groups: 3 } },
  {
    x: [2, 8, 8, 5],
    filter: [3, 3, 1, 5],
    y: [2, 4, 4, 5],
    attrs: { padding: 'SAME', strides: [2, 2], groups: 5 },
  },
  {
    x: [1, 6, 7, 4],
    filter: [2, 3, 2, 6],
    y: [1, 4, 8, 6],
    attrs: {
      padding: 'EXPLICIT',
      explicitPadding: [0, 1, 3, 4],
      strides: [1, 1],
      dilations: [3, 3],
      groups: 2,
    },
  },
  {
    x: [1, 5, 5, 2],
    filter: [2, 2, 2, 3],
    y: [1, 2, 2, 3],
    attrs: { padding: 'VALID', strides: [2, 3], groups: 1, dilations: [1, 1] },
  },
  {
    x: [1, 4, 4, 2],
    filter: [1, 1, 2, 3],
    y: [1, 6, 7, 3],
    attrs: { padding: 'EXPLICIT', explicitPadding: [1, 1, 2, 1], groups: 1 },
  },
  // Windows of one pixel.
  { x: [1, 1, 1, 40], filter: [1, 1, 40, 30], y: [1, 1, 1, 30], attrs: { padding: 'SAME', groups: 1 } },
  { x: [3, 9, 17], filter: [1, 17, 70], y: [3, 9, 70], attrs: { padding: 'VALID', groups: 1 } },
  // As many windows of one pixel as there are pixels, but padding behind the image is among what they see.
  {
    x: [2, 3, 2, 5],
    filter: [1, 1, 5, 6],
    y: [2, 3, 2, 6],
    attrs: { padding: 'EXPLICIT', explicitPadding: [0, 2, 0, 1], strides: [2, 2], groups: 1 },
  },
  // One or two channels beside many, in x and in y.
  { x: [2, 9, 10, 1], filter: [5, 4, 1, 12], y: [2, 9, 10, 12], attrs: { padding: 'SAME', groups: 1 } },
  {
    x: [1, 13, 11, 2],
    filter: [3, 5, 2, 9],
    y: [1, 5, 6, 9],
    attrs: { padding: 'SAME', strides: [3, 2], dilations: [2, 1], groups: 1 },
  },
  { x: [2, 10, 9, 11], filter: [3, 3, 11, 1], y: [2, 10, 9, 1], attrs: { padding: 'SAME', groups: 1 } },
  { x: [1, 40, 8], filter: [20, 8, 1], y: [1, 21, 1], attrs: { padding: 'VALID', groups: 1 } },
  {
    x: [1, 4, 5, 6, 1],
    filter: [2, 3, 2, 1, 8],
    y: [1, 4, 3, 5, 8],
    attrs: { padding: 'EXPLICIT', explicitPadding: [1, 0, 0, 0, 0, 0], groups: 1 },
  },
  {
    x: [1, 17, 20, 5],
    filter: [5, 6, 5, 9],
    y: [1, 4, 4, 9],
    attrs: { padding: 'SAME', strides: [5, 5], groups: 1 },
  },
  // Strides: phases that see many taps, one, or none; with dilations; more phases than are written out.
  {
    x: [2, 17, 16, 5],
    filter: [7, 7, 5, 8],
    y: [2, 9, 8, 8],
    attrs: { padding: 'SAME', strides: [2, 2], groups: 1 },
  },
  {
    x: [1, 8, 9, 6],
    filter: [1, 1, 6, 10],
    y: [1, 4, 5, 10],
    attrs: { padding: 'SAME', strides: [2, 2], groups: 1 },
  },
  {
    x: [1, 14, 13, 4],
    filter: [2, 3, 2, 6],
    y: [1, 4, 4, 6],
    attrs: {
      padding: 'EXPLICIT',
      explicitPadding: [3, 0, 1, 2],
      strides: [4, 3],
      dilations: [3, 2],
      groups: 2,
    },
  },
  {
    x: [1, 15, 13, 3],
    filter: [3, 3, 3, 4],
    y: [1, 4, 5, 4],
    attrs: { padding: 'VALID', strides: [4, 2], dilations: [1, 2], groups: 1 },
  },
  {
    x: [1, 12, 11, 3],
    filter: [5, 6, 3, 4],
    y: [1, 3, 3, 4],
    attrs: { padding: 'SAME', strides: [5, 5], groups: 1 },
  },
  {
    x: [1, 3, 3, 2],
    filter: [1, 1, 2, 3],
    y: [1, 2, 2, 3],
    attrs: { padding: 'EXPLICIT', explicitPadding: [1, 0, 1, 0], strides: [3, 3], groups: 1 },
  },
  // Each channel by itself: edges, tiles, gaps between windows, wide windows, one to three axes, and channels beside whole vectors.
  { x: [2, 9, 30, 8], filter: [3, 3, 1, 8], y: [2, 9, 30, 8], attrs: { padding: 'SAME', groups: 8 } },
  { x: [1, 14, 13, 39], filter: [5, 5, 1, 39], y: [1, 14, 13, 39], attrs: { padding: 'SAME', groups: 39 } },
  {
    x: [1, 13, 12, 6],
    filter: [3, 4, 1, 6],
    y: [1, 5, 4, 6],
    attrs: { padding: 'SAME', strides: [3, 3], dilations: [2, 1], groups: 6 },
  },
  {
    x: [1, 9, 11, 4],
    filter: [2, 2, 1, 4],
    y: [1, 4, 3, 4],
    attrs: { padding: 'EXPLICIT', explicitPadding: [1, 1, 2, 0], strides: [3, 5], groups: 4 },
  },
  {
    x: [1, 40, 41, 64],
    filter: [3, 3, 1, 64],
    y: [1, 20, 21, 64],
    attrs: { padding: 'SAME', strides: [2, 2], groups: 64 },
  },
  { x: [2, 50, 5], filter: [19, 1, 5], y: [2, 25, 5], attrs: { padding: 'SAME', strides: [2], groups: 5 } },
  {
    x: [1, 5, 6, 7, 3],
    filter: [2, 3, 2, 1, 3],
    y: [1, 3, 6, 4, 3],
    attrs: { padding: 'SAME', strides: [2, 1, 2], groups: 3 },
  },
  { x: [2, 17, 4], filter: [5, 4, 7], y: [2, 17, 7], attrs: { padding: 'SAME', groups: 1 } },
  {
    x: [1, 5, 6, 7, 3],
    filter: [2, 3, 2, 3, 4],
    y: [1, 3, 6, 4, 4],
    attrs: { padding: 'SAME', strides: [2, 1, 2], groups: 1 },
  },
  { x: [1, 30, 40, 16], filter: [3, 3, 16, 24], y: [1, 30, 40, 24], attrs: { padding: 'SAME', groups: 1 } },
]

it('answers the same bits whatever register blocks are thought the best', async () => {
  const next = random(3)
  const [x, filter, y] = [
    [2, 9, 21, 6],
    [3, 3, 6, 30],
    [2, 9, 21, 30],
  ] as const
  const values = (shape: readonly number[]) => Float32Array.from({ length: sizeOf(shape) }, next)
  const [images, weights, flow] = [values(x), values(filter), values(y)]
  const attrs = { padding: 'SAME', groups: 1 }
  const inputs = [type(x), type(filter), type(y)]
  const answers = await Promise.all(
    candidatesFor(true).map(async (fast, _, all) => {
      const costs = all.map((tile) => ({ ...tile, nanoseconds: tile === fast ? 1 : 100 }))
      await using device = cpu({ tuning: { f32: costs, 'f32 relaxed': costs } })
      const forward = { inputs: inputs.slice(0, 2), outputs: [type(y)], attrs }
      const byInput = { inputs, outputs: [type(x)], attrs, shapeOnly: new Set([0]) }
      const byFilter = { inputs, outputs: [type(filter)], attrs, shapeOnly: new Set([1]) }
      return [
        await answersOf(device, 'Conv', forward, [images, weights]),
        await answersOf(device, 'ConvBackpropInput', byInput, [weights, flow]),
        await answersOf(device, 'ConvBackpropFilter', byFilter, [images, flow]),
      ]
    }),
  )
  expect(answers.length).toBeGreaterThan(1)
  for (const other of answers) expect(other).toEqual(answers[0])
})

describe.each(['float32', 'float64'] as const)('convolutions of %s', (dtype) => {
  const tolerance = dtype === 'float64' ? 1e-12 : 1e-4
  const signature = (
    inputs: number[][],
    output: number[],
    attrs: AttrValues,
    shapeOnly: number[] = [],
  ): Signature => ({
    inputs: inputs.map((shape) => type(shape, dtype)),
    outputs: [type(output, dtype)],
    attrs,
    shapeOnly: new Set(shapeOnly),
  })

  it('slides over one to three axes with strides, dilations, groups and padding', async () => {
    for (const { x, filter, y, attrs } of convCases)
      await expectAgreement('Conv', signature([x, filter], y, attrs), tolerance)
  })
  it('packs a filter once where it is constant', async () => {
    for (const { x, filter, y, attrs } of convCases) {
      const constants = new Set([1])
      await expectAgreement('Conv', { ...signature([x, filter], y, attrs), constants }, tolerance)
      const backward = signature([x, filter, y], x, attrs, [0])
      await expectAgreement('ConvBackpropInput', { ...backward, constants }, tolerance)
    }
  })
  it('gives the gradient by the input', async () => {
    for (const { x, filter, y, attrs } of convCases)
      await expectAgreement('ConvBackpropInput', signature([x, filter, y], x, attrs, [0]), tolerance)
  })
  it('gives the gradient by the filter', async () => {
    for (const { x, filter, y, attrs } of convCases)
      await expectAgreement('ConvBackpropFilter', signature([x, filter, y], filter, attrs, [1]), tolerance)
  })
})
