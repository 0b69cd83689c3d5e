import { describe, expect, it } from 'vitest'
import { hurwitzZeta, special } from './special.ts'

// Values to 17 digits, computed with 50-digit arithmetic.
const known = {
  erf: [
    [1e-10, 1.1283791670955126e-10],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [-2.5, -0.999593047982555],
  ],
  erfc: [
    [0.5, 0.4795001221869535],
    [2, 0.004677734981047266],
    [5, 1.537459794428035e-12],
    [-1, 1.8427007929497148],
    [20, 5.3958656116079e-176],
  ],
  erfinv: [
    [1e-12, 8.862269254527581e-13],
    [0.5, 0.4769362762044699],
    [-0.8, -0.9061938024368232],
    [0.9999, 2.7510639057120608],
  ],
  lgamma: [
    [0.01, 4.599479878042022],
    [1.2, -0.08537409000331583],
    [3, Math.log(2)],
    [11, Math.log(3628800)],
    [-1.5, 0.860047015376481],
    [171.5, 709.1431630309282],
  ],
  digamma: [
    [1, -0.5772156649015329],
    [0.5, -1.9635100260214235],
    [2, 0.42278433509846713],
    [-1.5, 0.7031566406452432],
    [1e6, 13.815510057964191],
  ],
} as const satisfies Record<keyof typeof special, readonly (readonly [number, number])[]>

describe('special functions', () => {
  for (const [name, rows] of Object.entries(known))
    it(`${name} agrees with known values to 1e-13`, () => {
      for (const [x, y] of rows) {
        const got = special[name as keyof typeof special](x)
        expect(Math.abs(got - y) / Math.abs(y), `${name}(${x}) = ${got}`).toBeLessThan(1e-13)
      }
    })

  it('keeps its relative accuracy at the root of digamma and at the roots of lgamma', () => {
    expect(special.digamma(1.4616) / -0.00003110625123034165).toBeCloseTo(1, 11)
    expect(special.lgamma(1.000001) / -5.772148423874147e-7).toBeCloseTo(1, 13)
  })

  it('erfinv undoes erf', () => {
    for (const x of [-2.2, -0.3, 1e-5, 0.7, 1.9])
      expect(special.erfinv(special.erf(x)) / x).toBeCloseTo(1, 12)
  })

  it('answers limits and poles as IEEE arithmetic expects', () => {
    expect([
      special.erf(Infinity),
      special.erf(-Infinity),
      special.erfc(-Infinity),
      special.erfc(40),
    ]).toEqual([1, -1, 2, 0])
    expect([special.erfinv(1), special.erfinv(-1), special.erfinv(1.1)]).toEqual([Infinity, -Infinity, NaN])
    expect([special.lgamma(0), special.lgamma(-3), special.lgamma(Infinity)]).toEqual([
      Infinity,
      Infinity,
      Infinity,
    ])
    expect([
      special.digamma(-2),
      special.erf(NaN),
      special.erfc(NaN),
      special.lgamma(NaN),
      special.digamma(NaN),
    ]).toEqual([NaN, NaN, NaN, NaN, NaN])
  })

  it('sums the zeta function', () => {
    expect(hurwitzZeta(2, 1)).toBeCloseTo(Math.PI ** 2 / 6, 14)
    expect(hurwitzZeta(4, 1)).toBeCloseTo(Math.PI ** 4 / 90, 14)
  })
})
