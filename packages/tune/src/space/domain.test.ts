import { describe, expect, it } from 'vitest'
import { Random } from '../random.ts'
import type { Domain } from './domain.ts'
import { accepts, categorical, decode, encode, float, int, sizeOf, stretchOf, valueAt } from './domain.ts'

const domains: readonly Domain[] = [
  float(-3, 7),
  float(1e-6, 10, { log: true }),
  float(0, 1, { step: 0.1 }),
  float(0.25, 1, { step: 0.2 }),
  float(2, 2),
  float(2, 2, { log: true }),
  int(-4, 9),
  int(0, 20, { step: 6 }),
  int(1, 1000, { log: true }),
  int(5, 5),
  int(5, 5, { log: true }),
  categorical(['a', 'b', 'c']),
  categorical([true]),
]

describe('a domain', () => {
  it.each(domains.map((domain) => [JSON.stringify(domain), domain] as const))(
    'maps to 0…1 and back: %s',
    (_, domain) => {
      const random = new Random(1, 0)
      for (const unit of [0, 1, ...Array.from({ length: 200 }, () => random.uniform())]) {
        const value = decode(domain, unit)
        expect(accepts(domain, value)).toBe(true)
        const again = decode(domain, encode(domain, value))
        const near = typeof value === 'number' && Math.abs(Number(again) - value) < 1e-9
        expect(near || again === value).toBe(true)
        const [from, to] = stretchOf(domain, unit)
        expect(from).toBeLessThanOrEqual(unit + 1e-12)
        expect(to).toBeGreaterThanOrEqual(unit - 1e-12)
        expect(sizeOf(domain) === Infinity || decode(domain, (from + to) / 2) === value).toBe(true)
      }
    },
  )

  it('gives each discrete value an equal share', () => {
    const domain = int(0, 20, { step: 6 })
    const drawn = Array.from({ length: 400 }, (_, i) => decode(domain, (i + 0.5) / 400))
    expect([0, 6, 12, 18].map((value) => drawn.filter((one) => one === value).length)).toEqual([
      100, 100, 100, 100,
    ])
  })

  it('gives the ends of whole numbers on a logarithmic scale their share', () => {
    const drawn = Array.from({ length: 3000 }, (_, i) => decode(int(1, 4, { log: true }), (i + 0.5) / 3000))
    const share = (value: number): number => drawn.filter((one) => one === value).length / 3000
    expect(share(1)).toBeCloseTo(Math.log(3) / Math.log(9), 2)
    expect(share(4)).toBeCloseTo(Math.log(4.5 / 3.5) / Math.log(9), 2)
  })

  it('knows how many values it has, without the noise of binary fractions', () => {
    expect(domains.map(sizeOf)).toEqual([Infinity, Infinity, 11, 4, 1, 1, 14, 4, 1000, 1, 1, 3, 1])
    expect(valueAt(float(0, 1, { step: 0.1 }), 3)).toBe(0.3)
  })

  it('refuses values that are not its own', () => {
    expect(accepts(float(0, 1), 1.1)).toBe(false)
    expect(accepts(float(0, 1, { step: 0.5 }), 0.3)).toBe(false)
    expect(accepts(int(0, 9), 2.5)).toBe(false)
    expect(accepts(int(0, 9), '3')).toBe(false)
    expect(accepts(float(0, 1), Number.NaN)).toBe(false)
    expect(accepts(categorical(['a']), 'b')).toBe(false)
  })

  it('refuses to be made of nonsense', () => {
    expect(() => float(1, 0)).toThrow('low must not be above high')
    expect(() => float(0, 1, { log: true })).toThrow('log needs a low above 0')
    expect(() => float(1, 9, { log: true, step: 1 })).toThrow('log and step exclude each other')
    expect(() => float(0, 1, { step: 2 })).toThrow('step must be from 0')
    expect(() => float(0, Number.NaN)).toThrow('finite')
    expect(() => int(0, 1.5)).toThrow('must be whole')
    expect(() => int(0, 5, { step: 0 })).toThrow('step from 1')
    expect(() => categorical([])).toThrow('at least one choice')
    expect(() => categorical(['a', 'a'])).toThrow('each choice once')
  })
})
