import type { AttrValues, Buffer, ConcreteType, Device, DType, Signature, TypedArray } from '@shoal/core'
import { allocate, boundInputs, referenceKernels, sizeOf, viewOf } from '@shoal/core'
import { afterAll, describe, expect, it } from 'vitest'
import { cpu } from '../cpu.ts'

const device = cpu()
const strict = cpu({ strict: true })
const threaded = cpu({ threads: 3 })
afterAll(() => threaded[Symbol.asyncDispose]())

/** Numbers of a linear congruential generator, in [-1, 1). */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    return state / 2 ** 31
  }
}

const bytesOf = (data: TypedArray) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)

/** Runs a kernel as a Program of its own: every output. Memory holds NaN before, so that what is not written shows. */
async function run(
  on: Device,
  op: string,
  signature: Signature,
  inputs: readonly TypedArray[],
): Promise<TypedArray[]> {
  const kernel = await on.kernel(op, signature)
  const outputs = signature.outputs.map(({ dtype, shape }) => allocate(dtype, sizeOf(shape)) as TypedArray)
  const scratch = kernel.workspaceBytes > 0 ? [new Uint8Array(kernel.workspaceBytes)] : []
  outputs.forEach((data) => bytesOf(data).fill(0xff))
  scratch.forEach((data) => data.fill(0xff))
  const buffers = [...inputs, ...outputs, ...scratch].map((data): Buffer => {
    const buffer = on.alloc(data.byteLength)
    on.write(buffer, bytesOf(data))
    return buffer
  })
  const step = await on.sequence!([{ kernel, args: buffers }])
  step()
  const answers = signature.outputs.map(({ dtype, shape }, i) => {
    const bytes = on.read(buffers[inputs.length + i]!) as Uint8Array
    return viewOf(dtype as Exclude<DType, 'string'>, bytes, sizeOf(shape)) as TypedArray
  })
  buffers.forEach((buffer) => on.free(buffer))
  return answers
}

/** The kernel agrees with the reference kernel, strict and not, and has the same bits on three threads. */
async function expectAgreement(
  op: string,
  signature: Signature,
  tolerance: number,
  given?: readonly TypedArray[],
): Promise<void> {
  const next = random(7)
  const inputs =
    given ??
    boundInputs(signature).map(({ dtype, shape }) => {
      const data = allocate(dtype, sizeOf(shape)) as TypedArray
      for (let i = 0; i < data.length; i++) data[i] = next() as never
      return data
    })
  const expected = signature.outputs.map(({ dtype, shape }) => allocate(dtype, sizeOf(shape)) as TypedArray)
  referenceKernels[op]!(inputs, expected, signature)
  const what = `${op} ${JSON.stringify(signature)}`
  const answers = await run(device, op, signature, inputs)
  for (const actual of [answers, await run(strict, op, signature, inputs)])
    actual.forEach((data, o) => {
      let worst = 0
      for (let i = 0; i < data.length; i++) {
        const [x, y] = [data[i]!, expected[o]![i]!]
        const difference = Object.is(x, y) ? 0 : Math.abs(Number(x) - Number(y))
        // NaN must count as wrong.
        worst = difference <= worst ? worst : difference || Infinity
      }
      expect(worst, what).toBeLessThanOrEqual(tolerance)
    })
  expect(await run(threaded, op, signature, inputs), what).toEqual(answers)
}

const type = (shape: readonly number[], dtype: DType = 'float32'): ConcreteType => ({ dtype, shape })

describe('MatMul', () => {
  it('multiplies matrices and broadcast batches, transposed or not', async () => {
    const cases: [a: number[], b: number[], y: number[]][] = [
      [
        [5, 7],
        [7, 3],
        [5, 3],
      ],
      [
        [2, 3, 5, 7],
        [2, 3, 7, 4],
        [2, 3, 5, 4],
      ],
      [
        [2, 1, 5, 70],
        [3, 70, 4],
        [2, 3, 5, 4],
      ],
      [
        [4, 9, 33],
        [33, 65],
        [4, 9, 65],
      ],
      [
        [6, 33],
        [4, 33, 65],
        [4, 6, 65],
      ],
      [
        [130, 90],
        [90, 70],
        [130, 70],
      ],
      [
        [2, 0],
        [0, 3],
        [2, 3],
      ],
    ]
    const swap = (shape: readonly number[]) => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!]
    for (const dtype of ['float32', 'float64'] as const)
      for (const [a, b, y] of cases)
        for (const transposeA of [false, true])
          for (const transposeB of [false, true]) {
            const inputs = [type(transposeA ? swap(a) : a, dtype), type(transposeB ? swap(b) : b, dtype)]
            await expectAgreement(
              'MatMul',
              { inputs, outputs: [type(y, dtype)], attrs: { transposeA, transposeB } },
              dtype === 'float64' ? 1e-12 : 2e-5,
            )
          }
  })

  it('multiplies integers by the reference kernel', async () => {
    const inputs = [type([2, 3], 'int32'), type([3, 2], 'int32')]
    const given = [Int32Array.of(1, 2, 3, 4, 5, 6), Int32Array.of(1, -1, 2, -2, 3, -3)]
    await expectAgreement(
      'MatMul',
      { inputs, outputs: [type([2, 2], 'int32')], attrs: { transposeA: false, transposeB: false } },
      0,
      given,
    )
  })
})

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
  { x: [2, 17, 4], filter: [5, 4, 7], y: [2, 17, 7], attrs: { padding: 'SAME', groups: 1 } },
  {
    x: [1, 5, 6, 7, 3],
    filter: [2, 3, 2, 3, 4],
    y: [1, 3, 6, 4, 4],
    attrs: { padding: 'SAME', strides: [2, 1, 2], groups: 1 },
  },
  { x: [1, 30, 40, 16], filter: [3, 3, 16, 24], y: [1, 30, 40, 24], attrs: { padding: 'SAME', groups: 1 } },
]

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
  it('gives the gradient by the input, whether that has a buffer or not', async () => {
    for (const { x, filter, y, attrs } of convCases)
      await expectAgreement('ConvBackpropInput', signature([x, filter, y], x, attrs, [0]), tolerance)
  })
  it('gives the gradient by the filter', async () => {
    for (const { x, filter, y, attrs } of convCases)
      await expectAgreement('ConvBackpropFilter', signature([x, filter, y], filter, attrs, [1]), tolerance)
  })
})

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
    ])
      await expectAgreement('MaxPoolGrad', signature, 0, [Elements.from(x), Elements.of(7, 9)])
  })
})

describe('rows', () => {
  it('gathers along any axis, with batches, and gives zeros for what is not there', async () => {
    const cases: [x: number[], indices: number[], y: number[], axis: number, batchDims: number][] = [
      [[5, 3], [4], [4, 3], 0, 0],
      [[2, 5, 3], [2, 2], [2, 2, 2, 3], 1, 0],
      [[2, 3, 5], [2, 4], [2, 3, 4], 2, 1],
      [[4, 700], [900], [900, 700], 0, 0],
    ]
    for (const dtype of ['float32', 'int8', 'int64', 'bfloat16'] as const)
      for (const indexType of ['int32', 'int64'] as const)
        for (const [x, indices, y, axis, batchDims] of cases) {
          if (sizeOf(y) > 1000 && dtype !== 'bfloat16') continue
          const data = allocate(dtype, sizeOf(x)) as TypedArray
          bytesOf(data).forEach((_, i, bytes) => (bytes[i] = i * 7))
          const picks = allocate(indexType, sizeOf(indices)) as TypedArray
          for (let i = 0; i < picks.length; i++) {
            const pick = ((i * 3) % 7) - 1
            picks[i] = (indexType === 'int64' ? BigInt(pick) : pick) as never
          }
          const inputs = [type(x, dtype), type(indices, indexType)]
          const signature = { inputs, outputs: [type(y, dtype)], attrs: { axis, batchDims } }
          await expectAgreement('Gather', signature, 0, [data, picks])
        }
  })

  it('joins along any axis', async () => {
    for (const [shapes, y, axis] of [
      [
        [
          [2, 3],
          [1, 3],
        ],
        [3, 3],
        0,
      ],
      [
        [
          [2, 3],
          [2, 1],
          [2, 0],
        ],
        [2, 4],
        -1,
      ],
      [
        [
          [300, 2, 70],
          [300, 5, 70],
        ],
        [300, 7, 70],
        1,
      ],
    ] as [number[][], number[], number][])
      for (const dtype of ['float32', 'uint8'] as const)
        await expectAgreement(
          'Concat',
          { inputs: shapes.map((s) => type(s, dtype)), outputs: [type(y, dtype)], attrs: { axis } },
          0,
        )
  })
})
