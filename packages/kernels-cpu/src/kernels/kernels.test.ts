import type { TypedArray } from '@shoal/core'
import { allocate, sizeOf } from '@shoal/core'
import { describe, it } from 'vitest'
import { bytesOf, expectAgreement, type } from './agreement.ts'

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

  it('multiplies integers', async () => {
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
