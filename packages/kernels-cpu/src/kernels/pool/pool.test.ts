import type { AttrValues } from '@shoal/core'
import { describe, it } from 'vitest'
import { expectAgreement, type } from '../agreement.ts'

const poolCases: { x: number[]; y: number[]; attrs: AttrValues }[] = [
  { x: [2, 8, 6, 5], y: [2, 4, 3, 5], attrs: { size: [2, 2], strides: [2, 2], padding: 'VALID' } },
  { x: [1, 7, 7, 8], y: [1, 4, 4, 8], attrs: { size: [3, 3], strides: [2, 2], padding: 'SAME' } },
  { x: [2, 9, 10, 3], y: [2, 5, 4, 3], attrs: { size: [3, 3], dilations: [2, 3], padding: 'VALID' } },
  {
    x: [1, 4, 5, 1],
    y: [1, 6, 7, 1],
    attrs: { size: [2, 3], padding: 'EXPLICIT', explicitPadding: [1, 2, 2, 2] },
  },
  { x: [2, 11, 6], y: [2, 11, 6], attrs: { size: [4], padding: 'SAME' } },
  { x: [1, 4, 5, 6, 2], y: [1, 2, 3, 6, 2], attrs: { size: [2, 2, 3], strides: [2, 2, 1], padding: 'SAME' } },
  // A dilated window that lies between the elements sees none.
  {
    x: [1, 1, 1, 4],
    y: [1, 3, 1, 4],
    attrs: { size: [2, 1], dilations: [2, 1], padding: 'EXPLICIT', explicitPadding: [2, 2, 0, 0] },
  },
  // Windows that leave gaps, that are wider than a tile, that are wider than code is written out for, and all in one.
  { x: [2, 11, 13, 6], y: [2, 4, 5, 6], attrs: { size: [2, 1], strides: [3, 3], padding: 'SAME' } },
  { x: [1, 12, 30, 7], y: [1, 2, 3, 7], attrs: { size: [5, 11], strides: [6, 10], padding: 'SAME' } },
  { x: [1, 3, 60, 5], y: [1, 3, 8, 5], attrs: { size: [1, 20], strides: [1, 8], padding: 'SAME' } },
  { x: [2, 70, 3], y: [2, 24, 3], attrs: { size: [19], strides: [3], padding: 'SAME' } },
  {
    x: [2, 3, 4, 40, 2],
    y: [2, 3, 4, 10, 2],
    attrs: { size: [1, 2, 18], strides: [1, 1, 4], padding: 'SAME' },
  },
  { x: [2, 7, 7, 9], y: [2, 1, 1, 9], attrs: { size: [7, 7], strides: [7, 7], padding: 'VALID' } },
  // More than the cache holds, so that lines are read ahead.
  { x: [1, 50, 51, 32], y: [1, 17, 17, 32], attrs: { size: [1, 2], strides: [3, 3], padding: 'SAME' } },
  // Strides and dilations with and without a common divisor.
  {
    x: [1, 19, 17, 4],
    y: [1, 4, 3, 4],
    attrs: { size: [3, 3], strides: [4, 6], dilations: [2, 2], padding: 'VALID' },
  },
  {
    x: [1, 20, 18, 4],
    y: [1, 7, 9, 4],
    attrs: { size: [3, 4], strides: [3, 2], dilations: [2, 3], padding: 'SAME' },
  },
  { x: [1, 40, 40, 32], y: [1, 20, 20, 32], attrs: { size: [2, 2], strides: [2, 2], padding: 'SAME' } },
]

describe.each(['float32', 'float64'] as const)('poolings of %s', (dtype) => {
  const typed = (shape: number[]) => type(shape, dtype)
  for (const op of ['MaxPool', 'AvgPool'] as const)
    it(`${op} slides over one to three axes`, async () => {
      for (const { x, y, attrs } of poolCases)
        await expectAgreement(
          op,
          { inputs: [typed(x)], outputs: [typed(y)], attrs },
          op === 'MaxPool' ? 0 : 1e-6,
        )
    })
  it('gives gradients to the greatest, or to all', async () => {
    for (const { x, y, attrs } of poolCases) {
      const signature = { inputs: [typed(x), typed(y)], outputs: [typed(x)], attrs }
      await expectAgreement('MaxPoolGrad', signature, 1e-6)
      await expectAgreement('AvgPoolGrad', { ...signature, shapeOnly: new Set([0]) }, 1e-6)
    }
  })
  it('takes the first of equal elements, and NaN before all', async () => {
    const signature = {
      inputs: [typed([1, 4, 1]), typed([1, 2, 1])],
      outputs: [typed([1, 4, 1])],
      attrs: { size: [2], strides: [2], padding: 'VALID' },
    }
    const Elements = dtype === 'float32' ? Float32Array : Float64Array
    for (const x of [
      [3, 3, 1, NaN],
      [NaN, NaN, -1, -1],
      [-Infinity, -Infinity, NaN, 5],
      [NaN, 2, 3, NaN],
    ]) {
      await expectAgreement('MaxPoolGrad', signature, 0, [Elements.from(x), Elements.of(7, 9)])
      const forward = { ...signature, inputs: [typed([1, 4, 1])], outputs: [typed([1, 2, 1])] }
      await expectAgreement('MaxPool', forward, 0, [Elements.from(x)])
    }
  })
})
