import { describe, expect, it } from 'vitest'
import { AttrError, DTypeError, ShapeError } from '../../errors.ts'
import { placeholder } from '../graph/placeholder.ts'
import { all } from './all.ts'
import { argMax } from './argMax.ts'
import { histogram } from './count.ts'
import { cumulative } from './cumulative.ts'
import { max } from './max.ts'
import { mean } from './mean.ts'
import { moments } from './moments.ts'
import { norm } from './norm.ts'
import { segmentSum } from './sortedSegment.ts'
import { unsortedSegmentSum } from './segment.ts'

const x = placeholder({ shape: ['n', 3, 4], name: 'x' })

describe('reductions', () => {
  it('take axes away or keep them with size 1', () => {
    expect(max(x).shape).toEqual([])
    expect(mean(x, { axes: [-1, 0] }).shape).toEqual([3])
    expect(mean(x, { axes: [1], keepDims: true }).shape).toEqual(['n', 1, 4])
    expect(moments(x, { axes: [0] }).mean.shape).toEqual([3, 4])
    expect(argMax(x, { axis: 2, dtype: 'int64' }).type).toEqual({ dtype: 'int64', shape: ['n', 3] })
  })

  it('refuse axes that are not there, and dtypes that make no sense', () => {
    expect(() => max(x, { axes: [3] })).toThrow(ShapeError)
    expect(() => max(x, { axes: [0, -3] })).toThrow(/named twice/)
    expect(() => all(x)).toThrow(DTypeError)
    expect(() => mean(placeholder({ shape: [2], dtype: 'int32' }))).toThrow(DTypeError)
    expect(() => cumulative(placeholder({ shape: [2], dtype: 'int32' }), { combine: 'logSumExp' })).toThrow(
      /needs floats/,
    )
    expect(() => argMax(placeholder({ shape: [0, 2] }))).toThrow(/is empty/)
    expect(() => norm(x, { order: -2 })).toThrow(AttrError)
    expect(() => histogram(x, { low: 1, high: 1 })).toThrow(/hold nothing/)
  })
})

describe('groups', () => {
  const ids = placeholder({ shape: ['n'], dtype: 'int32', name: 'ids' })

  it('are as many as one says, or as the ids turn out to name', () => {
    expect(unsortedSegmentSum(x, ids, { count: 5 }).shape).toEqual([5, 3, 4])
    expect(segmentSum(x, ids).shape).toEqual(['?', 3, 4])
  })

  it('must be given for the leading axes of x', () => {
    expect(() =>
      unsortedSegmentSum(x, placeholder({ shape: ['n', 2], dtype: 'int32' }), { count: 5 }),
    ).toThrow(/leading sizes of x/)
    expect(() => unsortedSegmentSum(ids, x, { count: 5 })).toThrow(/more axes/)
  })
})
