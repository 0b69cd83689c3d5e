import { describe, expect, it, vi } from 'vitest'
import type { Graph, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { controlDependencies, device } from '../graph/scope.ts'
import {
  add,
  cast,
  constant,
  expandDims,
  fill,
  less,
  logicalAnd,
  logicalNot,
  max,
  maximum,
  mul,
  neg,
  pad,
  placeholder,
  print,
  relu,
  select,
  slice,
  sqrt,
  sub,
  sum,
  transpose,
  variable,
} from '../ops/index.ts'
import { simplify } from './simplify.ts'
import { Uses } from './uses.ts'

const graphOf = (...fetches: Tensor[]): Graph => ({ fetches, targets: [] })
const simplified = (t: Tensor): Tensor => simplify.run(graphOf(t)).fetches[0]!
const stays = (t: Tensor): boolean => simplified(t) === t

describe('simplify', () => {
  const x = placeholder({ shape: [2, 3], name: 'x' })
  const i = placeholder({ shape: [2, 3], dtype: 'int32', name: 'i' })

  it('takes out operands that change nothing, whatever holds them', () => {
    expect(simplified(add(x, fill({ shape: [3], value: 0 })))).toBe(x)
    expect(simplified(mul(expandDims(constant(1)), x))).toBe(x)
    expect(simplified(logicalAnd(less(x, 1), true)).node.op.name).toBe('Less')
  })
  it('keeps operands that change the shape', () => {
    expect(stays(add(x, fill({ shape: [2, 2, 3], value: 0 })))).toBe(true)
    const open = placeholder({ shape: ['?', 3] })
    expect(stays(add(open, fill({ shape: [1, 3], value: 0 })))).toBe(true)
  })
  it('knows that a float times zero may be NaN, and an integer may not', () => {
    expect(stays(mul(x, 0))).toBe(true)
    expect(stays(sub(x, x))).toBe(true)
    expect(simplified(mul(i, 0)).node.op.name).toBe('Fill')
    expect(simplified(sub(i, i)).node.op.name).toBe('Fill')
    expect(stays(logicalNot(less(x, 0)))).toBe(true)
    expect(simplified(logicalNot(less(i, 0))).node.op.name).toBe('GreaterEqual')
  })
  it('keeps the effects of a value that is not needed', () => {
    const [shown] = [print(i, { message: 'i' })]
    const zero = simplified(mul(shown, 0))
    expect(zero.node.op.name).toBe('Fill')
    expect(zero.node.control).toEqual([shown.node])
  })
  it('moves what removed nodes waited for to what takes their place', () => {
    const v = variable(0, { name: 'v' })
    const inner = controlDependencies([v.assign(1)], () => neg(x))
    const t = simplified(neg(inner))
    expect(t.node.op.name).toBe('Identity')
    expect(t.node.control.map((n) => n.name)).toEqual(['v/assign'])
  })
  it('does not pull work to another device', () => {
    expect(stays(neg(device('/task:1', () => neg(x))))).toBe(true)
  })
  it('shows the NaN of a function that is not defined everywhere', () => {
    expect(stays(max(sqrt(x)))).toBe(true)
    expect(simplified(max(relu(x))).node.op.name).toBe('Relu')
    expect(simplified(maximum(neg(x), neg(constant(1)))).node.op.name).toBe('Neg')
    expect(stays(max(relu(placeholder({ shape: ['n'] }))))).toBe(true)
  })
  it('makes one cast of two where nothing is lost in between', () => {
    expect(simplified(cast(cast(x, { to: 'float64' }), { to: 'int32' })).node.inputs[0]).toBe(x)
    expect(stays(cast(cast(x, { to: 'float16' }), { to: 'float32' }))).toBe(true)
    // -1 becomes 0 by way of a float, and 255 without.
    const small = placeholder({ shape: [1], dtype: 'int8' })
    expect(stays(cast(cast(small, { to: 'float32' }), { to: 'uint8' }))).toBe(true)
  })
  it('relabels instead of reducing or moving axes of size 1', () => {
    const row = placeholder({ shape: [1, 3] })
    expect(simplified(sum(row, { axes: [0] })).node.op.name).toBe('Reshape')
    expect(simplified(transpose(row)).node.op.name).toBe('Reshape')
    expect(stays(transpose(x))).toBe(true)
  })
  it('cuts a piece of a piece at once', () => {
    const t = simplified(
      slice(slice(x, { begin: [0, 1], size: [2, 2] }), { begin: [1, 1], size: [1, 1] }),
    ).node
    expect(t.inputs[0]).toBe(x)
    expect(t.attrs['begin']).toEqual([1, 2])
  })
  it('chooses when it is known what is chosen', () => {
    expect(simplified(select(constant(true), x, neg(x)))).toBe(x)
    expect(simplified(select(less(x, 0), x, x))).toBe(x)
  })
  it('answers the same graph when it finds nothing', () => {
    const graph = graphOf(add(neg(mul(x, x)), x))
    const once = simplify.run(graph)
    expect(simplify.run(once) === once).toBe(true)
    expect(toposort(once).length).toBeLessThan(toposort(graph).length)
  })
  it('joins pieces that fill a tensor without overlapping', () => {
    const [a, b, c] = [2, 1, 3].map((rows) => placeholder({ shape: [rows, 4] })) as [Tensor, Tensor, Tensor]
    const at = (x: Tensor, before: number, after: number) =>
      pad(x, { before: [before, 0], after: [after, 0] })
    const joined = simplify.run({
      fetches: [add(at(b, 2, 3), add(at(c, 3, 0), at(a, 0, 4)))],
      targets: [],
    }).fetches[0]!
    expect(joined.node.op.name).toBe('Concat')
    expect(joined.node.inputs).toEqual([a, b, c])
    const left = [
      // A gap, an overlap, something else than zeros, and a sum that is read otherwise.
      add(at(a, 0, 4), at(c, 3, 0)),
      add(at(a, 0, 4), add(at(b, 2, 3), at(at(c, 1, 0), 2, 0))),
      add(pad(a, { before: [0, 0], after: [3, 0], value: 1 }), at(c, 2, 0)),
    ]
    for (const t of left)
      expect(simplify.run({ fetches: [t], targets: [] }).fetches[0]!.node.op.name).toBe('Add')
    const both = add(at(a, 0, 4), at(b, 2, 3))
    const read = { fetches: [add(both, at(c, 3, 0)), both], targets: [] }
    expect(simplify.run(read)).toBe(read)
  })
  it('looks at a long chain of sums a few times for each, and not down from each of them', () => {
    const once = vi.spyOn(Uses.prototype, 'once')
    const looks = (length: number): number => {
      let chain: Tensor = placeholder({ shape: [2, 3] })
      for (let n = 0; n < length; n++) chain = add(chain, x)
      once.mockClear()
      expect(stays(chain)).toBe(true)
      return once.mock.calls.length
    }
    const short = looks(100)
    expect(short).toBeGreaterThan(0)
    expect(looks(1_000)).toBeLessThan(11 * short)
    once.mockRestore()
  })
})
