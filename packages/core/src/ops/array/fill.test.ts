import { describe, expect, it } from 'vitest'
import { AttrError, cast, fill, fillLike, placeholder, reshape, Session, unique } from '../../index.ts'
import type { DType } from '../../index.ts'

describe('fill', () => {
  it.each<[DType, number]>([
    ['int64', 0.5],
    ['int64', 2 ** 63],
    ['int32', 2.7],
    ['int32', Infinity],
    ['uint8', 300],
    ['uint8', -1],
    ['int8', 128],
    ['bool', 2],
  ])('refuses what is no %s: %d', (dtype, value) => {
    expect(() => fill({ shape: [2], dtype, value })).toThrow(AttrError)
    expect(() => fillLike(placeholder({ shape: [2], dtype }), { value })).toThrow(`is no ${dtype}`)
  })

  it('takes the bounds of its dtype', async () => {
    const session = new Session()
    const ends = [
      fill({ shape: [1], dtype: 'int8', value: -128 }),
      fill({ shape: [1], dtype: 'uint32', value: 2 ** 32 - 1 }),
      cast(fill({ shape: [1], dtype: 'int64', value: -(2 ** 63) }), { to: 'float64' }),
    ]
    const values = (await session.run(ends)).map((a) => a.numbers()[0])
    expect(values).toEqual([-128, 2 ** 32 - 1, -(2 ** 63)])
    await session.close()
  })
})

describe('sizes', () => {
  it('are not negative, and the error says what to write instead', () => {
    expect(() => placeholder({ shape: [-1, 3] })).toThrow(AttrError)
    expect(() => placeholder({ shape: [-1, 3] })).toThrow("or names of sizes ('batch'; '?' for any)")
    expect(() => fill({ shape: [-2] })).toThrow(AttrError)
  })

  it('may be -1 where an op works them out', () => {
    const [values] = unique(placeholder({ shape: ['n'] }))
    expect(reshape(values, { shape: [-1, 1] }).shape).toEqual(['?', 1])
    expect(() => reshape(values, { shape: [-2, 1] })).toThrow(AttrError)
  })
})
