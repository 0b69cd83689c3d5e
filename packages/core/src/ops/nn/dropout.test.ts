import { describe, expect, it } from 'vitest'
import { AttrError, dropout, fill, gradients, Session, sum } from '../../index.ts'

const ones = fill({ shape: [1000], value: 1 })

describe('dropout', () => {
  it('sets about the given part of float elements to 0 and scales the others', () => {
    const kept = new Session().runSync(dropout(ones, { rate: 0.25, seed: 1 })).numbers()
    expect(new Set(kept)).toEqual(new Set([0, Math.fround(1 / 0.75)]))
    // Four standard deviations of a binomial distribution.
    expect(Math.abs(kept.filter((x) => x === 0).length - 250)).toBeLessThan(4 * Math.sqrt(1000 * 0.25 * 0.75))
  })

  it('drops other elements in each run, and lets gradients through where nothing was dropped', () => {
    const session = new Session()
    const y = dropout(ones, { rate: 0.5, seed: 1 })
    const [first, gradient] = session.runSync([y, gradients(sum(y), [ones])[0]!])
    expect(gradient.numbers()).toEqual(first.numbers())
    expect(session.runSync(y).numbers()).not.toEqual(first.numbers())
  })

  it('refuses a rate that leaves nothing', () => {
    expect(() => dropout(ones, { rate: 1 })).toThrow(AttrError)
  })
})
