import { add, cast, constant, exp, floor, matmul, mul, placeholder, reshape, sum } from '@shoal/core'
import type { Tensor } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { allowance, exact, tolerances } from './tolerance.ts'

const x = placeholder({ shape: [3, 4] })
const of = (t: Tensor) => tolerances({ fetches: [t], targets: [] })(t)

describe('tolerances', () => {
  it('demand equality of what is only moved', () => {
    expect(of(reshape(x, { shape: [12] }))).toEqual(exact)
  })
  it('demand equality of integers, whatever made them', () => {
    expect(of(cast(floor(exp(x)), { to: 'int32' })).units).toBe(0)
  })
  it('add up along the longest way', () => {
    const once = of(exp(x)).units
    expect(of(exp(exp(x))).units).toBe(2 * once)
    expect(of(mul(exp(x), constant(2))).units).toBe(once + 1)
  })
  it('know where terms can cancel', () => {
    expect(of(mul(x, x)).cancels).toBe(false)
    expect(of(add(x, x)).cancels).toBe(true)
  })
  it('grow with the number of terms that are added up', () => {
    const wide = placeholder({ shape: [3, 400] })
    expect(of(sum(wide, { axes: [1] })).units).toBeGreaterThan(of(sum(x, { axes: [1] })).units)
    expect(of(matmul(wide, wide, { transposeB: true })).units).toBe(4 + 400)
  })
})

describe('allowance', () => {
  it('is relative to the value in the digits of its dtype', () => {
    const two = { units: 2, cancels: false }
    expect(allowance(two, 'float64', 8, 100)).toBeCloseTo(16 * 2 ** -52, 20)
    expect(allowance(two, 'float16', 8, 100)).toBeCloseTo(16 * 2 ** -10, 5)
  })
})
