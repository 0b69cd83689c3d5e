import type { AttrValues, DType, Signature } from '@shoal/core'
import { add, conv2d, NDArray, placeholder, reference, relu, Session, sizeOf, windowOf } from '@shoal/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainOutput } from '../../output.ts'
import { identityOf } from '../../schedules.ts'
import { webgpu, type WebGpuDevice } from '../../webgpu.ts'
import { expectAgreement, random, type } from '../agreement.ts'
import { convKernels } from './index.ts'
import type { Tiling } from './schedule.ts'

let device: WebGpuDevice
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
  'depthwise along three axes': {
    x: [1, 3, 4, 5, 4],
    filter: [2, 3, 2, 1, 4],
    attrs: { ...same, strides: [2, 1, 2], groups: 4 },
  },
  'channels that are multiplied': { x: [1, 5, 6, 3], filter: [3, 2, 1, 6], attrs: { ...same, groups: 3 } },
  'small groups of odd sizes': {
    x: [2, 5, 4, 9],
    filter: [2, 3, 3, 6],
    attrs: { ...explicit([0, 1, 3, 4]), dilations: [3, 3], groups: 3 },
  },
  'few channels beside many': { x: [2, 5, 4, 12], filter: [3, 3, 12, 2], attrs: same },
  'many lines of windows': { x: [3, 70, 2, 3], filter: [2, 1, 3, 2], attrs: same },
}

type Op = 'Conv' | 'ConvBackpropInput' | 'ConvBackpropFilter'
const ops: readonly Op[] = ['Conv', 'ConvBackpropInput', 'ConvBackpropFilter']

/** One of the three ops of a convolution. */
function signatureOf(
  op: Op,
  { x: image, filter: weights, attrs }: ConvCase,
  dtype: DType = 'float32',
): Signature {
  const { output } = windowOf(image.slice(1, -1), weights.slice(0, -2), attrs as never)
  const [x, filter] = [type(image, dtype), type(weights, dtype)]
  const y = type([image[0]!, ...output, weights.at(-1)!], dtype)
  if (op === 'Conv') return { inputs: [x, filter], outputs: [y], attrs }
  return op === 'ConvBackpropInput'
    ? { inputs: [x, filter, y], outputs: [x], attrs, shapeOnly: new Set([0]) }
    : { inputs: [x, filter, y], outputs: [filter], attrs, shapeOnly: new Set([1]) }
}

describe.each(ops)('%s', (op) => {
  it.each(Object.entries({ ...products, ...directs }))('takes %s', (_, of) =>
    expectAgreement(device, op, signatureOf(op, of), 1e-4),
  )
  it.each([
    ['float16', 0.01, products['fours of channels'], directs['small groups of odd sizes']],
    ['bfloat16', 0.08, products['one axis'], directs['depthwise']],
  ] as const)('takes %s', async (dtype, tolerance, product, direct) => {
    await expectAgreement(device, op, signatureOf(op, product!, dtype), tolerance)
    await expectAgreement(device, op, signatureOf(op, direct!, dtype), tolerance)
  })
})

it('answers zeros where nothing is summed', async () => {
  const noImages = { x: [0, 5, 5, 8], filter: [3, 3, 8, 8], attrs: same }
  await expectAgreement(device, 'ConvBackpropFilter', signatureOf('ConvBackpropFilter', noImages), 0)
  const noChannels = { x: [2, 5, 5, 0], filter: [3, 3, 0, 8], attrs: same }
  await expectAgreement(device, 'Conv', signatureOf('Conv', noChannels), 0)
})

describe('tiles of every size', () => {
  /** Convolutions of one pixel, so that products are of the same sizes whichever op it is. */
  const sized = [9, 20, 68].map((channels) => ({
    x: [1, 9, 15, channels],
    filter: [1, 1, channels, 72],
    attrs: valid,
  }))
  const limits = { lanes: 256, workgroupBytes: 32768, maxBuffers: 8, features: new Set<string>() }
  const tilings = (
    [
      [128, 64, 8, 4],
      [64, 64, 4, 4],
      [32, 64, 8, 8],
    ] as const
  ).map(
    ([rows, columns, laneRows, laneColumns]): Tiling => ({
      rows,
      columns,
      depth: 16,
      laneRows,
      laneColumns,
      splits: 1,
    }),
  )
  it.each(ops)('make %s', async (op) => {
    const { tuning } = convKernels.find((def) => def.op === op)!
    const convolution = Object.fromEntries(
      sized.map((of, i) => [tuning!.candidates(signatureOf(op, of), limits).name, tilings[i]!]),
    )
    expect(Object.keys(convolution)).toHaveLength(tilings.length)
    const adapter = identityOf(device.adapterInfo)
    await using tuned = await webgpu({ schedules: { adapter, convolution } })
    for (const [i, of] of sized.entries()) {
      const signature = signatureOf(op, of)
      expect((await tuned.kernel(op, signature)).schedule!()).toContain(
        `${tilings[i]!.rows}×${tilings[i]!.columns}`,
      )
      await expectAgreement(tuned, op, signature, 1e-4)
    }
  })
})

describe('QuantizedConv', () => {
  it.each([
    ['fours of channels', [2, 5, 4, 8], [9, 3, 3, 8], { ...same, zeroPoint: 3 }],
    [
      'odd channels',
      [1, 7, 5, 5],
      [8, 3, 2, 5],
      { ...explicit([0, 2, 1, 0]), strides: [2, 1], zeroPoint: 11 },
    ],
    ['groups', [1, 5, 6, 8], [16, 2, 3, 4], { ...same, groups: 2, dilations: [2, 1], zeroPoint: 0 }],
    ['depthwise', [1, 6, 5, 8], [8, 3, 3, 1], { ...same, groups: 8, zeroPoint: 127 }],
    ['few channels', [2, 9, 8], [3, 4, 8], { ...same, zeroPoint: 5 }],
    ['few odd channels', [1, 9, 3], [2, 4, 3], { ...valid, strides: [2], zeroPoint: 0 }],
  ] as const)('is exact for %s', (_, x, filter, attrs) => {
    const { output } = windowOf(x.slice(1, -1), filter.slice(1, -1), attrs as never)
    const signature: Signature = {
      inputs: [type(x, 'int8'), type(filter, 'int8')],
      outputs: [type([x[0], ...output, filter[0]], 'int32')],
      attrs: attrs as unknown as AttrValues,
    }
    return expectAgreement(device, 'QuantizedConv', signature, 0)
  })
})

it('uses no more buffers than there may be, at the price of another stage', () => {
  const signature = signatureOf('Conv', products['fours of channels']!)
  const bias = { arg: 2, dtype: 'float32', length: 8, access: 'read' } as const
  const plain = plainOutput(signature.outputs[0]!, 3)
  const output = { ...plain, uses: [bias, ...plain.uses] }
  const { compile } = convKernels.find(({ op }) => op === 'Conv')!
  for (const [maxBuffers, stages] of [
    [4, 1],
    [3, 2],
  ] as const) {
    const target = { lanes: 256, workgroupBytes: 16384, maxBuffers, features: new Set<string>() }
    const code = compile(signature, target, { output, firstOutput: 2, workspace: 4 })
    expect(code.stages).toHaveLength(stages)
    for (const { buffers } of code.stages) expect(buffers.length).toBeLessThanOrEqual(maxBuffers)
  }
})

describe('what follows a convolution', () => {
  const values = (shape: readonly number[], seed: number): NDArray<'float32'> => {
    const next = random(seed)
    return new NDArray('float32', shape, Float32Array.from({ length: sizeOf(shape) }, next))
  }
  it.each([
    ['tiles', [2, 6, 5, 5], [3, 3, 5, 9], 1],
    ['direct sums', [2, 6, 5, 8], [3, 3, 1, 8], 8],
    ['shares of sums', [1, 3, 3, 116], [3, 3, 116, 9], 1],
  ] as const)('is done with %s', async (_, shape, weights, groups) => {
    const x = placeholder({ shape, name: 'x' })
    const filter = placeholder({ shape: weights, name: 'filter' })
    const bias = placeholder({ shape: [weights[3]], name: 'bias' })
    const y = relu(add(conv2d(x, filter, { padding: 'SAME', groups }), bias))
    const feeds = [
      [x, values(shape, 1)],
      [filter, values(weights, 2)],
      [bias, values([weights[3]], 3)],
    ] as const
    await using session = new Session({ devices: [await webgpu()] })
    const kernels: string[] = []
    const [found] = await session.run([y], feeds, {
      onTrace: (events) => kernels.push(...events.map(({ op }) => op)),
    })
    expect(kernels.filter((name) => /Conv|Relu|Add/.test(name))).toEqual([
      expect.stringMatching(/^Conv\+.*Add\+Relu$/),
    ])
    await using defining = new Session({ devices: [reference()] })
    const [wanted] = await defining.run([y], feeds)
    const expected = wanted!.numbers()
    found!
      .numbers()
      .forEach((value, i) => expect(Math.abs(Number(value) - Number(expected[i]))).toBeLessThan(1e-4))
  })
})
