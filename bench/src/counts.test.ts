import { describe, expect, it } from 'vitest'
import { growth } from './counts.ts'

describe('counts', () => {
  const counts = { kernels: 3, bytes: 100, arena: 50 }
  it('tell what grew', () => {
    expect(growth({ a: counts }, { a: { ...counts, kernels: 4, arena: 60 } })).toEqual([
      'a: kernels grew from 3 to 4',
      'a: arena grew from 50 to 60',
    ])
  })
  it('let what shrank pass', () => {
    expect(growth({ a: counts }, { a: { ...counts, bytes: 90 } })).toEqual([])
  })
  it('let texts of shaders grow a little', () => {
    const of = (characters: number) => ({ a: { characters } })
    expect(growth(of(1_000), of(1_100))).toEqual([])
    expect(growth(of(1_000), of(1_101))).toEqual(['a: characters grew from 1000 to 1101'])
  })
  it('ask for works that nobody has accepted yet', () => {
    expect(growth({}, { a: counts })).toEqual(['a: is new'])
  })
  it('miss works that are no longer counted', () => {
    expect(growth({ a: counts, b: counts }, { a: counts })).toEqual(['b: is gone'])
  })
})
