import { afterAll, describe, expect, it } from 'vitest'
import { webgpu } from '../../webgpu.ts'
import { answersOf, expectAgreement, type } from '../agreement.ts'

const device = await webgpu()
afterAll(() => device[Symbol.asyncDispose]())

/** One of every size of elements. */
const movable = ['float32', 'float16', 'int8', 'bool'] as const

describe('Gather', () => {
  it('picks along any axis, with batches, runs of all lengths, and zeros for what is not there', async () => {
    const cases: [x: number[], indices: number[], y: number[], axis: number, batchDims: number][] = [
      [[5, 3], [4], [4, 3], 0, 0],
      [[7, 8], [3, 3], [3, 3, 8], 0, 0],
      [[2, 5, 2], [2, 2], [2, 2, 2, 2], 1, 0],
      [[2, 3, 9], [2, 5], [2, 3, 5], 2, 1],
      [[0, 3], [2], [2, 3], 0, 0],
      [[9, 80], [65], [65, 80], 0, 0],
    ]
    for (const dtype of movable)
      for (const [x, indices, y, axis, batchDims] of cases)
        await expectAgreement(
          device,
          'Gather',
          {
            inputs: [type(x, dtype), type(indices, 'int32')],
            outputs: [type(y, dtype)],
            attrs: { axis, batchDims },
          },
          0,
        )
  })
})

describe('GatherNd', () => {
  it('picks slices of any depth, and zeros for tuples out of range', async () => {
    const cases: [x: number[], indices: number[], y: number[]][] = [
      [[5, 7], [9, 2], [9]],
      [
        [5, 4, 8],
        [3, 2, 2],
        [3, 2, 8],
      ],
      [
        [5, 3],
        [6, 1],
        [6, 3],
      ],
      [
        [4, 3],
        [2, 0],
        [2, 4, 3],
      ],
    ]
    for (const dtype of movable)
      for (const [x, indices, y] of cases)
        await expectAgreement(
          device,
          'GatherNd',
          { inputs: [type(x, dtype), type(indices, 'int32')], outputs: [type(y, dtype)], attrs: {} },
          0,
        )
  })
})

describe('Concat', () => {
  const joined = (shapes: readonly number[][], axis: number, dtype: (typeof movable)[number]) => ({
    inputs: shapes.map((shape) => type(shape, dtype)),
    outputs: [
      type(
        shapes[0]!.map((size, a) => (a === axis ? shapes.reduce((sum, shape) => sum + shape[a]!, 0) : size)),
        dtype,
      ),
    ],
    attrs: { axis },
  })

  it('joins along any axis, empty parts too', async () => {
    for (const dtype of movable) {
      await expectAgreement(device, 'Concat', joined([[3], [70]], 0, dtype), 0)
      await expectAgreement(
        device,
        'Concat',
        joined(
          [
            [3, 4],
            [3, 0],
            [3, 8],
          ],
          1,
          dtype,
        ),
        0,
      )
      await expectAgreement(
        device,
        'Concat',
        joined(
          [
            [2, 3, 2],
            [2, 1, 2],
            [2, 2, 2],
          ],
          1,
          dtype,
        ),
        0,
      )
      await expectAgreement(
        device,
        'Concat',
        joined(
          [
            [5, 1],
            [5, 2],
          ],
          1,
          dtype,
        ),
        0,
      )
      await expectAgreement(device, 'Concat', joined([[5]], 0, dtype), 0)
    }
  })

  it('joins more tensors than a shader has buffers for', async () => {
    for (const dtype of movable) {
      const shapes = Array.from({ length: 40 }, (_, i) => [3, 1 + (i % 3)])
      await expectAgreement(device, 'Concat', joined(shapes, 1, dtype), 0)
    }
  })
})

describe('Bitcast', () => {
  it('leaves the bits as they are, of numbers that are none too', async () => {
    const bits = Uint32Array.of(0, 1, 0x7f800001, 0xffc12345, 0x80000000, 0x7f800000, 3)
    const [same] = await answersOf(
      device,
      'Bitcast',
      { inputs: [type([7])], outputs: [type([7], 'uint32')], attrs: { to: 'uint32' } },
      [new Float32Array(bits.buffer)],
    )
    expect(same).toEqual(bits)
    await expectAgreement(
      device,
      'Bitcast',
      { inputs: [type([133], 'uint8')], outputs: [type([133], 'int8')], attrs: { to: 'int8' } },
      0,
    )
  })
})
