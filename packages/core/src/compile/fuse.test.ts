import { describe, expect, it } from 'vitest'
import {
  add,
  broadcastTo,
  constant,
  exp,
  matmul,
  mul,
  neg,
  pad,
  placeholder,
  reshape,
  Session,
  sum,
  transpose,
} from '../index.ts'
import type { Tensor } from '../index.ts'
import type { TraceEvent } from '../run/trace.ts'

const x = placeholder({ shape: [4, 6], name: 'x' })
const feeds = { x: Float32Array.from({ length: 24 }, (_, i) => i / 7 - 1) }

/** The kernels that a fetch takes, and its value with and without fusion. */
function kernelsOf(fetch: Tensor | Tensor[]): string[] {
  const fetches = Array.isArray(fetch) ? fetch : [fetch]
  const fused = new Session()
  const events: TraceEvent[] = []
  const values = fused.runSync(fetches, feeds, { onTrace: (all) => events.push(...all) })
  const plain = new Session({ fusion: false }).runSync(fetches, feeds)
  values.forEach((value, i) => {
    const expected = plain[i]!.numbers()
    value.numbers().forEach((v, k) => expect(v).toBeCloseTo(expected[k]!, 5))
  })
  return events.map((e) => e.op)
}

describe('fusion', () => {
  it('makes one kernel of an element-wise chain', () => {
    expect(kernelsOf(neg(exp(mul(add(x, 1), x))))).toEqual(['Neg+Exp+Mul+Add'])
  })
  it('computes broadcasts and views in place', () => {
    expect(kernelsOf(add(transpose(x), broadcastTo(constant(2), { shape: [6, 4] })))).toHaveLength(1)
    expect(kernelsOf(exp(pad(x, { before: [1, 0], after: [2, 1] })))).toHaveLength(1)
  })
  it('takes what leads to a reduction and what follows it into its kernel', () => {
    expect(kernelsOf(mul(sum(exp(x), { axes: [1] }), 0.5))).toEqual(['Sum+Exp+Mul'])
    expect(kernelsOf(neg(sum(mul(x, x), { axes: [0], keepDims: true })))).toHaveLength(1)
  })
  it('stores what is costly and read twice', () => {
    const costly = exp(mul(add(exp(x), 1), x))
    expect(kernelsOf([add(costly, 1), mul(costly, 2)])).toHaveLength(3)
  })
  it('does not compute a broadcast sum again for every element', () => {
    expect(kernelsOf(add(x, sum(x, { axes: [0] })))).toHaveLength(2)
  })
  it('gives a reshape between kernels no work', () => {
    expect(
      kernelsOf(reshape(matmul(x, transpose(x)), { shape: [16] })).filter((op) => op === 'Reshape'),
    ).toEqual([])
  })
  it('cuts expressions that grow too large', () => {
    let y: Tensor = x
    for (let i = 0; i < 400; i++) y = add(mul(y, 0.99), 0.01)
    expect(kernelsOf(y).length).toBeGreaterThan(2)
  })
})
