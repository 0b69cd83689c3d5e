import type { AttrValues, Device, DType, Signature } from '@shoal/core'
import { windowOf } from '@shoal/core'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { webgpu } from '../../webgpu.ts'
import { expectAgreement, type } from '../agreement.ts'

let device: Device
beforeAll(async () => {
  device = await webgpu()
})
afterAll(() => device[Symbol.asyncDispose]())

interface ConvCase {
  readonly x: number[]
  readonly filter: number[]
  readonly attrs: AttrValues
}
const same = { padding: 'SAME', groups: 1 }
const valid = { padding: 'VALID', groups: 1 }
const explicit = (explicitPadding: number[]) => ({ padding: 'EXPLICIT', explicitPadding, groups: 1 })

/** Convolutions that are products: their groups have many channels. */
const products: Record<string, ConvCase> = {
  'fours of channels': { x: [2, 5, 4, 4], filter: [3, 3, 4, 8], attrs: same },
  'odd channels': { x: [1, 7, 5, 9], filter: [3, 2, 9, 11], attrs: valid },
  'edges of tiles': { x: [1, 5, 13, 16], filter: [1, 1, 16, 33], attrs: valid },
  'two strides': { x: [2, 9, 8, 9], filter: [3, 3, 9, 10], attrs: { ...same, strides: [2, 2] } },
  'strides beyond the window': {
    x: [1, 11, 7, 8],
    filter: [2, 1, 8, 12],
    attrs: { ...valid, strides: [4, 3] },
  },
  'strides beyond the image': { x: [1, 2, 3, 8], filter: [2, 2, 8, 8], attrs: { ...same, strides: [3, 5] } },
  dilations: { x: [1, 9, 11, 8], filter: [3, 3, 8, 9], attrs: { ...valid, dilations: [2, 3] } },
  'dilations that share a divisor with strides': {
    x: [1, 13, 11, 8],
    filter: [3, 4, 8, 8],
    attrs: { ...explicit([3, 2, 0, 5]), strides: [4, 2], dilations: [2, 2] },
  },
  groups: { x: [2, 5, 6, 24], filter: [3, 3, 8, 36], attrs: { ...same, groups: 3 } },
  'groups of odd sizes': {
    x: [1, 6, 5, 18],
    filter: [2, 2, 9, 22],
    attrs: { ...explicit([0, 1, 2, 1]), groups: 2, strides: [2, 1] },
  },
  'one axis': { x: [2, 17, 8], filter: [5, 8, 12], attrs: same },
  'three axes': { x: [1, 3, 4, 5, 8], filter: [2, 3, 2, 8, 9], attrs: { ...same, strides: [2, 1, 2] } },
  'windows of one element, with padding': {
    x: [1, 4, 4, 8],
    filter: [1, 1, 8, 8],
    attrs: explicit([1, 1, 2, 1]),
  },
  'windows of one element, with strides': {
    x: [2, 3, 2, 8],
    filter: [1, 1, 8, 8],
    attrs: { ...explicit([0, 2, 0, 1]), strides: [2, 2] },
  },
  'one window': { x: [3, 4, 3, 8], filter: [4, 3, 8, 20], attrs: valid },
  'one channel': { x: [1, 9, 8, 1], filter: [5, 4, 1, 12], attrs: same },
  'long sums': { x: [1, 3, 3, 116], filter: [3, 3, 116, 9], attrs: same },
  'many windows': { x: [2, 23, 26, 3], filter: [2, 2, 3, 8], attrs: same },
}

/** Convolutions of groups of few channels. */
const directs: Record<string, ConvCase> = {
  depthwise: { x: [2, 5, 7, 8], filter: [3, 3, 1, 8], attrs: { ...same, groups: 8 } },
  'depthwise of odd channels': { x: [1, 6, 5, 7], filter: [5, 3, 1, 7], attrs: { ...same, groups: 7 } },
  'depthwise with strides and dilations': {
    x: [1, 13, 12, 12],
    filter: [3, 4, 1, 12],
    attrs: { ...same, strides: [3, 3], dilations: [2, 1], groups: 12 },
  },
  'depthwise of odd channels, with gaps between windows': {
    x: [1, 9, 11, 5],
    filter: [2, 2, 1, 5],
    attrs: { ...explicit([1, 1, 2, 0]), strides: [3, 5], groups: 5 },
  },
  'depthwise along one axis': {
    x: [2, 40, 4],
    filter: [9, 1, 4],
    attrs: { ...same, strides: [2], groups: 4 },
  },
  'depthwise along three axes': {
    x: [1, 3, 4, 5, 4],
    filter: [2, 3, 2, 1, 4],
    attrs: { ...same, strides: [2, 1, 2], groups: 4 },
  },
  'channels that are multiplied': { x: [1, 5, 6, 3], filter: [3, 2, 1, 6], attrs: { ...same, groups: 3 } },
  'small groups': {
    x: [1, 6, 5, 12],
    filter: [3, 3, 4, 12],
    attrs: { ...valid, groups: 3, strides: [2, 1] },
  },
  'small groups of odd sizes': {
    x: [2, 5, 4, 9],
    filter: [2, 3, 3, 6],
    attrs: { ...explicit([0, 1, 3, 4]), dilations: [3, 3], groups: 3 },
  },
  'few channels beside many': { x: [2, 5, 4, 12], filter: [3, 3, 12, 2], attrs: same },
  'many lines of windows': { x: [3, 70, 2, 3], filter: [2, 1, 3, 2], attrs: same },
}

function outputOf({ x, filter, attrs }: ConvCase): number[] {
  const { output } = windowOf(x.slice(1, -1), filter.slice(0, -2), attrs as never)
  return [x[0]!, ...output, filter.at(-1)!]
}

/** The three ops of a convolution. */
function signatures(of: ConvCase, dtype: DType): Record<string, Signature> {
  const { attrs } = of
  const [x, filter, y] = [of.x, of.filter, outputOf(of)].map((shape) => type(shape, dtype)) as [
    ReturnType<typeof type>,
    ReturnType<typeof type>,
    ReturnType<typeof type>,
  ]
  return {
    Conv: { inputs: [x, filter], outputs: [y], attrs },
    ConvBackpropInput: { inputs: [x, filter, y], outputs: [x], attrs, shapeOnly: new Set([0]) },
    ConvBackpropFilter: { inputs: [x, filter, y], outputs: [filter], attrs, shapeOnly: new Set([1]) },
  }
}

describe.each(['Conv', 'ConvBackpropInput', 'ConvBackpropFilter'])('%s', (op) => {
  it.each(Object.entries({ ...products, ...directs }))('takes %s', (_, of) =>
    expectAgreement(device, op, signatures(of, 'float32')[op]!, 2e-4),
  )
})
