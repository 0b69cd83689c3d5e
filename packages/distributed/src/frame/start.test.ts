import { dtypeNames } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { defaultLimits } from './limits.ts'
import { codes, decodeStart, encodeStart } from './start.ts'

describe('the start of a message', () => {
  it('has a number for every dtype', () => {
    expect(codes.toSorted()).toEqual(dtypeNames.toSorted())
  })

  it('is read as it was written', () => {
    const start = {
      method: 'méthode',
      head: Uint8Array.of(1, 2, 3),
      tensors: [
        { dtype: 'float32', wire: 'bfloat16', shape: [2, 3], bytes: 12 },
        { dtype: 'string', wire: 'string', shape: [1], bytes: 9 },
        { dtype: 'int64', wire: 'int64', shape: [], bytes: 8 },
        { dtype: 'uint8', wire: 'uint8', shape: [2 ** 33 + 5, 0], bytes: 0 },
      ],
    } as const
    expect(decodeStart(encodeStart(start, defaultLimits), defaultLimits)).toEqual({ ...start, headBytes: 3 })
  })
})
