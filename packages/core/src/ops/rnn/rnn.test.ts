import { describe, expect, it } from 'vitest'
import { gradients } from '../../autodiff/gradients.ts'
import { constant } from '../constant.ts'
import { placeholder } from '../graph/placeholder.ts'
import { Session } from '../../run/session.ts'
import { ndarray } from '../../ndarray.ts'
import { sum } from '../reduce/sum.ts'
import { basicRnn } from './basicRnn.ts'
import { bidirectional } from './bidirectional.ts'
import { lstm } from './lstm.ts'

const filled = (rows: number, columns: number) =>
  constant(
    Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (__, j) => Math.sin(i + 2 * j))),
  )

describe('recurrent layers', () => {
  it('take batches and lengths of time that only a run knows', async () => {
    const x = placeholder({ shape: ['batch', 'time', 2], dtype: 'float32' })
    const { outputs, h } = lstm(x, { input: filled(2, 12), hidden: filled(3, 12) })
    expect(outputs.shape).toEqual(['batch', 'time', 3])
    expect(h.shape).toEqual(['batch', 3])
    await using session = new Session()
    const [y, dx] = await session.run(
      [outputs, gradients(sum(outputs), [x])[0]!],
      new Map([[x, ndarray(Float32Array.of(1, 2, 3, 4), 'float32', [1, 2, 2])]]),
    )
    expect([y!.shape, dx!.shape]).toEqual([
      [1, 2, 3],
      [1, 2, 2],
    ])
  })
  it('give nothing back from steps past the end of a sequence', async () => {
    const x = constant([[[1], [2], [3]]])
    const { outputs } = basicRnn(x, { input: filled(1, 2), hidden: filled(2, 2) }, { lengths: [2] })
    await using session = new Session()
    const [y, dx] = await session.run([outputs, gradients(sum(outputs), [x])[0]!])
    expect(y!.numbers().slice(4)).toEqual([0, 0])
    expect(dx!.numbers()[2]).toBe(0)
    expect(dx!.numbers()[1]).not.toBe(0)
  })
  it('join both directions along the last axis', () => {
    const x = placeholder({ shape: ['batch', 4, 1], dtype: 'float32' })
    const both = bidirectional((reverse) =>
      basicRnn(x, { input: filled(1, 2), hidden: filled(2, 2) }, { reverse }),
    )
    expect(both.outputs.shape).toEqual(['batch', 4, 4])
    expect(both.backward.outputs.shape).toEqual(['batch', 4, 2])
  })
  it('say which weights do not fit', () => {
    expect(() => basicRnn(filled(2, 2), { input: filled(1, 2), hidden: filled(2, 2) })).toThrow(
      /must be \[batch, time, features\]/,
    )
    expect(() => lstm(constant([[[1]]]), { input: filled(1, 8), hidden: constant([1, 2]) })).toThrow(
      /\[units, gates · units\]/,
    )
  })
})
