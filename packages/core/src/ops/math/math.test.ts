import { describe, expect, it } from 'vitest'
import { DTypeError, ShapeError } from '../../errors.ts'
import { placeholder } from '../graph/placeholder.ts'
import { bitcast } from '../array/bitcast.ts'
import { clip } from './clip.ts'
import { equal } from './equal.ts'
import { erf } from './erf.ts'
import { floorDiv } from './floorDiv.ts'
import { addN } from './linear.ts'
import { logicalAnd } from './logicalAnd.ts'
import { polygamma } from './polygamma.ts'
import { select } from './select.ts'

const x = placeholder({ shape: ['n', 3], name: 'x' })
const i = placeholder({ shape: [3], dtype: 'int32', name: 'i' })

describe('element-wise types', () => {
  it('broadcast, and tests are bool', () => {
    expect(equal(x, [1, 2, 3]).type).toEqual({ dtype: 'bool', shape: ['n', 3] })
    expect(select(equal(x, 0), x, 0).type).toEqual({ dtype: 'float32', shape: ['n', 3] })
    expect(floorDiv(i, 2).type).toEqual({ dtype: 'int32', shape: [3] })
    expect(addN([x, 1, 2]).type).toEqual({ dtype: 'float32', shape: ['n', 3] })
  })

  it('turn plain numbers into the dtype of the values, not of the condition', () => {
    expect(select(placeholder({ shape: [3], dtype: 'bool' }), i, 7).dtype).toBe('int32')
  })

  it('are never converted silently', () => {
    expect(() => floorDiv(x, i)).toThrow(DTypeError)
    expect(() => select(x, x, x)).toThrow(/'condition' is float32; it takes bool/)
    expect(() => logicalAnd(i, i)).toThrow(DTypeError)
    expect(() => erf(i)).toThrow(/cast it first/)
  })

  it('refuse what has no meaning', () => {
    expect(() => equal(x, [1, 2])).toThrow(ShapeError)
    expect(() => polygamma(x, { order: 0 })).toThrow(/order 0 is digamma/)
    expect(() => bitcast(x, { to: 'float64' })).toThrow(/4 bytes and float64 8/)
    expect(() => addN([])).toThrow(/at least one/)
    expect(clip(x).type).toEqual(x.type)
  })
})
