import { describe, expect, it } from 'vitest'
import { gradients } from '../../autodiff/gradients.ts'
import { placeholder } from '../graph/placeholder.ts'
import { conv1d, conv2d, conv2dTranspose, depthwiseConv2d } from './convolutions.ts'
import { windowCounts, windowOf } from './window.ts'

const image = (...shape: (number | string)[]) => placeholder({ shape, dtype: 'float32' })

describe('windows', () => {
  it('with SAME padding put the odd element of padding last', () => {
    const window = windowOf([8], [4], {
      strides: [1],
      dilations: [1],
      padding: 'SAME',
      explicitPadding: undefined,
    })
    expect(window).toMatchObject({ output: [8], before: [1] })
  })
  it('of a dilated kernel span the holes', () => {
    expect(
      windowCounts([9], [3], {
        strides: undefined,
        dilations: [4],
        padding: 'VALID',
        explicitPadding: undefined,
      }),
    ).toEqual([1])
  })
})

describe('conv', () => {
  it('keeps names of sizes where it can', () => {
    expect(conv2d(image('batch', 'h', 8, 3), image(3, 3, 3, 4), { padding: 'SAME' }).shape).toEqual([
      'batch',
      'h',
      8,
      4,
    ])
    expect(conv2d(image('batch', 'h', 8, 3), image(3, 3, 3, 4)).shape).toEqual(['batch', '?', 6, 4])
  })
  it('says which channels do not fit', () => {
    expect(() => conv2d(image(1, 8, 8, 4), image(3, 3, 3, 4))).toThrow(
      /has 4 channels, the filter \[3, 3, 3, 4\] takes 3/,
    )
    expect(() => conv2d(image(1, 8, 8, 4), image(3, 3, 2, 3), { groups: 2 })).toThrow(
      /groups 2 must divide the 3 output channels/,
    )
  })
  it('says when a window does not fit', () => {
    expect(() => conv1d(image(1, 2, 1), image(3, 1, 1))).toThrow(
      /does not fit in axis 0 of the spatial sizes \[2\].*padding 'SAME'/,
    )
  })
  it('refuses strides of another rank, and padding without pairs', () => {
    expect(() => conv2d(image(1, 8, 8, 3), image(3, 3, 3, 4), { strides: [1] })).toThrow(
      /strides \[1\] must be 2 positive numbers/,
    )
    expect(() => conv2d(image(1, 8, 8, 3), image(3, 3, 3, 4), { padding: [[1, 1]] })).toThrow(
      /must be 4 numbers/,
    )
  })
  it("has gradients of its inputs' shapes though sizes are names", () => {
    const [x, w] = [image('batch', 'h', 'w', 3), image(3, 3, 3, 4)]
    expect(gradients(conv2d(x, w), [x, w]).map((t) => t.shape)).toEqual([x.shape, w.shape])
  })
  it('convolves each channel by itself only when the channels are known', () => {
    expect(depthwiseConv2d(image('batch', 5, 5, 3), image(3, 3, 3, 2)).shape).toEqual(['batch', 3, 3, 6])
    expect(() => depthwiseConv2d(image(1, 5, 5, 'c'), image(3, 3, 'c', 2))).toThrow(
      /channels of the filter .* must be known/,
    )
  })
})

describe('convTranspose', () => {
  it('enlarges by the stride, or to a stated size that a convolution takes back', () => {
    const [x, w] = [image('batch', 4, 4, 3), image(3, 3, 5, 3)]
    expect(conv2dTranspose(x, w, { strides: 2, padding: 'SAME' }).shape).toEqual(['batch', 8, 8, 5])
    expect(conv2dTranspose(x, w, { strides: 2 }).shape).toEqual(['batch', 9, 9, 5])
    expect(conv2dTranspose(x, w, { strides: 2, padding: 'SAME', outputSizes: [7, 8] }).shape).toEqual([
      'batch',
      7,
      8,
      5,
    ])
    expect(() => conv2dTranspose(x, w, { strides: 2, padding: 'SAME', outputSizes: [6, 8] })).toThrow(
      /does not have the sizes of x/,
    )
  })
  it('wants the channels of x in the last axis of the filter', () => {
    expect(() => conv2dTranspose(image(1, 4, 4, 3), image(3, 3, 3, 5))).toThrow(
      /disagree on the input channels/,
    )
  })
})
