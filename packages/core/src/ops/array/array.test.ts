import { describe, expect, it } from 'vitest'
import { AttrError, ShapeError } from '../../errors.ts'
import { gradients, sparseGradients } from '../../autodiff/gradients.ts'
import { IndexedSlices } from '../../autodiff/indexedSlices.ts'
import { placeholder } from '../graph/placeholder.ts'
import { reference } from '../../reference/device.ts'
import { Session } from '../../run/session.ts'
import { concat } from './concat.ts'
import { expandDims, squeeze } from './expandDims.ts'
import { gather } from './gather.ts'
import { pad } from './pad.ts'
import { slice } from './slice.ts'
import { split } from './split.ts'
import { unstack } from './stack.ts'
import { downToStart, stridedSlice, upToEnd } from './stridedSlice.ts'
import { subscript } from './subscript.ts'
import { tensorScatter } from './tensorScatter.ts'
import { tile } from './tile.ts'
import { transpose } from './transpose.ts'

const x = placeholder({ shape: ['batch', 4], name: 'x' })

describe('sizes that are names', () => {
  it('stay where a slice or a pad leaves the axis alone, and are unknown where it does not', () => {
    expect(slice(x, { begin: [0, 1], size: [-1, 2] }).shape).toEqual(['batch', 2])
    expect(slice(x, { begin: [1, 0], size: [-1, -1] }).shape).toEqual(['?', 4])
    expect(pad(x, { before: [0, 1], after: [0, 2] }).shape).toEqual(['batch', 7])
    expect(pad(x, { before: [1, 0], after: [0, 0] }).shape).toEqual(['?', 4])
    expect(stridedSlice(x, { begin: [upToEnd, 0], end: [downToStart, 3], strides: [-1, 2] }).shape).toEqual([
      'batch',
      2,
    ])
    expect(tile(x, { times: [1, 3] }).shape).toEqual(['batch', 12])
  })

  it('go through axes that come and go', () => {
    expect(squeeze(expandDims(x, { axis: 0 })).shape).toEqual(['batch', 4])
    expect(transpose(x).shape).toEqual([4, 'batch'])
    expect(concat([x, x]).shape).toEqual(['?', 4])
  })

  it('are refused where a number of pieces depends on them, with the remedy', () => {
    expect(() => split(x, 2)).toThrow(/'batch' of axis 0 is not known: give the sizes/)
    expect(() => unstack(x)).toThrow(/give count/)
    expect(unstack(x, { count: 3 }).map((t) => t.shape)).toEqual([[4], [4], [4]])
    expect(split(x, [2, -1]).map((t) => t.shape)).toEqual([
      [2, 4],
      ['?', 4],
    ])
  })
})

describe('what does not fit', () => {
  it('is told with shapes', () => {
    expect(() => slice(x, { begin: [0, 3], size: [1, 2] })).toThrow(ShapeError)
    expect(() => slice(x, { begin: [0], size: [1] })).toThrow(/one number for each axis of \[batch, 4\]/)
    expect(() => pad(x, { before: [0, 4], after: [0, 0], mode: 'reflect' })).toThrow(
      /only 3 elements to reflect, not 4/,
    )
    expect(() => squeeze(x, { axes: [1] })).toThrow(/has size 4/)
    expect(() => transpose(x, { order: [0, 0] })).toThrow(AttrError)
    expect(() => stridedSlice(x, { begin: [0], end: [1], strides: [0] })).toThrow(/stride of 0/)
    expect(() => subscript(x, '1, 2, 3')).toThrow(/indexes 3 axes of a tensor that has 2/)
    expect(() => subscript(x, 'a:b')).toThrow(/cannot read 'a:b'/)
    expect(() => split(x, [1, 2], { axis: 1 })).toThrow(/do not add up to 4/)
    expect(() => gather(x, [0], { axis: 1, batchDims: 2 })).toThrow(/batchDims 2 must be 0 to 1/)
    expect(() => tensorScatter(x, [[0, 1, 2]], [1])).toThrow(/depth of at most 2/)
  })
})

describe('gather', () => {
  it('gives rows, not the whole table, back', () => {
    const table = placeholder({ shape: [5, 2], name: 'table' })
    const [g] = sparseGradients(gather(table, [3, 1, 3]), [table])
    expect(g).toBeInstanceOf(IndexedSlices)
    expect((g as IndexedSlices).values.shape).toEqual([3, 2])
  })

  it('adds rows named twice', async () => {
    const table = placeholder({ shape: [3, 1], name: 'table' })
    const session = new Session({ devices: [reference()] })
    const [g] = gradients(gather(table, [2, 0, 2]), [table])
    expect((await session.run(g!, { table: [[1], [2], [3]] })).toArray()).toEqual([[1], [0], [2]])
    await session.close()
  })
})
