import { describe, expect, it } from 'vitest'
import { ShapeError } from '../errors.ts'
import type { DeviceFunction } from '../graph/scope.ts'
import { device } from '../graph/scope.ts'
import {
  add,
  cond,
  constant,
  matmul,
  mul,
  placeholder,
  reshape,
  scan,
  softmax,
  sum,
  transpose,
  unique,
  variable,
} from '../ops/index.ts'
import { nodeCost } from './nodeCost.ts'

const x = placeholder({ shape: ['batch', 8], dtype: 'float32', name: 'x' })
const w = placeholder({ shape: [8, 4], dtype: 'float32', name: 'w' })
const costOf = (t: { readonly node: Parameters<typeof nodeCost>[0] }) => nodeCost(t.node, { batch: 16 })

describe('nodeCost', () => {
  it('counts what a kernel says of itself, with names of sizes bound', () => {
    expect(costOf(matmul(x, w))).toEqual({
      flops: 2 * 16 * 8 * 4,
      bytes: 4 * (16 * 8 + 8 * 4 + 16 * 4),
      outputBytes: [4 * 16 * 4],
    })
  })

  it('counts the operations of an expression for every element, and those of a reduction', () => {
    expect(costOf(add(x, x))).toMatchObject({ flops: 128, bytes: 4 * 2 * 128 })
    expect(costOf(sum(x))).toMatchObject({ flops: 128, bytes: 4 * (128 + 1), outputBytes: [4] })
  })

  it('takes the parts of a composite for one piece of work', () => {
    const { flops, bytes } = costOf(softmax(x))
    expect(flops).toBeGreaterThanOrEqual(4 * 128)
    expect(bytes).toBe(4 * 2 * 128)
  })

  it('finds nothing to do for what is there already', () => {
    const v = variable([1, 2, 3, 4])
    for (const t of [v.read(), constant([1, 2]), w, reshape(w, { shape: [4, 8] })])
      expect(nodeCost(t.node)).toMatchObject({ flops: 0, bytes: 0 })
    expect(nodeCost(transpose(w).node)).toMatchObject({ flops: 0, bytes: 4 * 64 })
    expect(nodeCost(v.assign([0, 0, 0, 0]).node).bytes).toBe(4 * 8)
  })

  it('counts a scan as all of its rounds, and a branch as its dearest', () => {
    const rows = placeholder({ shape: [10, 8, 4], dtype: 'float32', name: 'rows' })
    const { state } = scan(([h], [row]) => [[add(h!, row!)], []], [w], [rows])
    expect(nodeCost(state[0]!.node)).toMatchObject({ flops: 10 * 32, bytes: 10 * 4 * 3 * 32 })
    const square = cond(
      placeholder({ shape: [], dtype: 'bool', name: 'p' }),
      () => mul(x, x),
      () => matmul(matmul(x, w), w, { transposeB: true }),
    )
    expect(costOf(square).flops).toBe(2 * 2 * 16 * 8 * 4)
  })

  it('asks for the sizes that it is not told', () => {
    expect(() => nodeCost(matmul(x, w).node)).toThrow(ShapeError)
    expect(() => nodeCost(matmul(x, w).node)).toThrow("how large 'batch' is decides what it costs")
    const [values] = unique(placeholder({ shape: [4], dtype: 'int32' }))
    expect(nodeCost(values.node).outputBytes[0]).toBe(0)
    expect(() => nodeCost(mul(values, 2).node)).toThrow('a size that only a run can tell')
  })

  it('does not concern the scopes that surround it', () => {
    const t = softmax(x)
    const ask: DeviceFunction = () => {
      throw new Error('nothing is made')
    }
    expect(device(ask, () => costOf(t)).flops).toBeGreaterThan(0)
  })
})
