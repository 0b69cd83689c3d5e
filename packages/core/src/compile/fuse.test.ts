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
import { toposort } from '../graph/graph.ts'
import type { TraceEvent } from '../run/trace.ts'
import { inlineNodes } from './fuse.ts'
import { fuseGroup } from '../lower/fusedKernel.ts'

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

/** The most buffers that a kernel of the fetches binds, its output included. */
function buffersOf(fetches: readonly Tensor[], maxBuffers: number): number {
  const order = toposort({ fetches, targets: [] })
  const inlined = inlineNodes(order, new Set(fetches), { enabled: true, maxOperations: 100, maxBuffers })
  const roots = order.filter((node) => node.op.body.kind === 'scalar' && !inlined.has(node))
  return Math.max(...roots.map((root) => fuseGroup(root, inlined).inputs.length + 1))
}

describe('fusion', () => {
  it('makes one kernel of an element-wise chain', () => {
    expect(kernelsOf(neg(exp(mul(add(x, 1), x))))).toEqual(['Add+Mul+Exp+Neg'])
  })
  it('computes broadcasts and views in place', () => {
    expect(kernelsOf(add(transpose(x), broadcastTo(constant(2), { shape: [6, 4] })))).toHaveLength(1)
    expect(kernelsOf(exp(pad(x, { before: [1, 0], after: [2, 1] })))).toHaveLength(1)
  })
  it('takes what leads to a reduction and what follows it into its kernel', () => {
    expect(kernelsOf(mul(sum(exp(x), { axes: [1] }), 0.5))).toEqual(['Exp+Sum+Mul'])
    expect(kernelsOf(neg(sum(mul(x, x), { axes: [0], keepDims: true })))).toHaveLength(1)
  })
  it('computes what is costly and read twice once, for all of its readers', () => {
    const costly = exp(mul(add(exp(x), 1), x))
    expect(kernelsOf([add(costly, 1), mul(costly, 2)])).toEqual(['Exp+Add+Mul+Exp+Add+Mul'])
  })
  it('does not compute a broadcast sum again for every element', () => {
    expect(kernelsOf(add(x, sum(x, { axes: [0] })))).toEqual(['Sum+Add'])
  })
  it('gives a reshape between kernels no work', () => {
    expect(
      kernelsOf(reshape(matmul(x, transpose(x)), { shape: [16] })).filter((op) => op === 'Reshape'),
    ).toEqual([])
  })
  it('binds no more buffers than a kernel may have, also where a shared part is stored after all', () => {
    const xs = Array.from({ length: 13 }, (_, i) => placeholder({ shape: [4], name: `x${i}` }))
    const sumOf = (from: number, to: number): Tensor => xs.slice(from, to).reduce((a, b) => add(a, b))
    const shared = add(xs[0]!, xs[1]!)
    expect(buffersOf([mul(sumOf(0, 7), shared), mul(sumOf(7, 13), shared)], 8)).toBeLessThanOrEqual(8)
    expect(buffersOf([mul(sumOf(0, 7), sumOf(7, 13))], 8)).toBeLessThanOrEqual(8)
  })
  it('binds no more buffers than a kernel may have in any graph', () => {
    let state = 7
    const pick = <T>(all: readonly T[]): T => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return all[(state >>> 8) % all.length]!
    }
    for (let trial = 0; trial < 60; trial++) {
      const tensors = Array.from({ length: 12 }, (_, i) => placeholder({ shape: [4], name: `x${i}` }))
      for (let i = 0; i < 40; i++) tensors.push(add(pick(tensors), pick(tensors)))
      expect(buffersOf(tensors.slice(-4), 5)).toBeLessThanOrEqual(5)
    }
  })
  it('cuts expressions that grow too large', () => {
    let y: Tensor = x
    for (let i = 0; i < 400; i++) y = add(mul(y, 0.99), 0.01)
    expect(kernelsOf(y).length).toBeGreaterThan(2)
  })
})
