import type { Signature } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { type } from '../agreement.ts'
import { convolutionOf, operandsOf, reachOf, slidingWindow } from './geometry.ts'

const attrs = { strides: [2, 1], padding: 'valid', dilations: [1, 3], groups: 1 }
const [x, filter, y] = [type([2, 9, 11, 3]), type([3, 2, 3, 5]), type([2, 4, 8, 5])]
const forward: Signature = { inputs: [x, filter], outputs: [y], attrs }
/** The first input lends only its shape. */
const backward: Signature = { inputs: [x, filter, y], outputs: [x], attrs, shapeOnly: new Set([0]) }
const byFilter: Signature = { inputs: [x, filter, y], outputs: [filter], attrs, shapeOnly: new Set([1]) }

describe('the geometry of a convolution', () => {
  it('is the same for its gradients', () => {
    const axes = convolutionOf('Conv', forward)
    expect(axes).toMatchObject({ input: [1, 9, 11], kernel: [1, 3, 2], output: [1, 4, 8], seen: 3, made: 5 })
    expect(convolutionOf('ConvBackpropInput', backward)).toEqual(axes)
    expect(convolutionOf('ConvBackpropFilter', byFilter)).toEqual(axes)
    expect(slidingWindow('ConvBackpropInput', backward)).toEqual(slidingWindow('Conv', forward))
  })

  it('reaches from the first window to the end of the last', () => {
    expect(reachOf(convolutionOf('Conv', forward))).toEqual([1, 3 * 2 + 2 + 1, 7 + 3 + 1])
  })

  it('knows where operands stand among those that have memory', () => {
    expect(operandsOf('Conv', forward)).toEqual({ image: 0, other: 1, answer: 2 })
    expect(operandsOf('ConvBackpropInput', backward)).toEqual({ image: 1, other: 0, answer: 2 })
    expect(operandsOf('ConvBackpropFilter', byFilter)).toEqual({ image: 0, other: 1, answer: 2 })
  })
})
