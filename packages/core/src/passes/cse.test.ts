import { describe, expect, it } from 'vitest'
import type { Graph, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { controlDependencies, device } from '../graph/scope.ts'
import { add, constant, mul, placeholder, sub, variable } from '../ops/index.ts'
import { cse } from './cse.ts'

const graphOf = (...fetches: Tensor[]): Graph => ({ fetches, targets: [] })
const merged = (...fetches: Tensor[]): boolean => new Set(cse.run(graphOf(...fetches)).fetches).size === 1

describe('cse', () => {
  const [a, b] = [placeholder({ shape: [2], name: 'a' }), placeholder({ shape: [2], name: 'b' })]

  it('merges equal nodes, and then what reads them', () => {
    expect(merged(add(mul(a, b), 1), add(mul(a, b), 1))).toBe(true)
  })
  it('knows which ops do not mind the order of their inputs', () => {
    expect(merged(mul(a, b), mul(b, a))).toBe(true)
    expect(merged(sub(a, b), sub(b, a))).toBe(false)
  })
  it('merges constants by their bits', () => {
    expect(merged(constant([1, NaN]), constant([1, NaN]))).toBe(true)
    expect(merged(constant(0), constant(-0))).toBe(false)
    expect(merged(constant([1, 2]), constant([[1, 2]]))).toBe(false)
    expect(merged(constant(1), constant(1, 'float64'))).toBe(false)
    expect(merged(constant(['a', 'b']), constant(['a', 'b']))).toBe(true)
    expect(merged(constant(['a', 'b']), constant(['a', 'c']))).toBe(false)
  })
  it('keeps placeholders apart, however alike they are', () => {
    expect(merged(placeholder({ shape: [2] }), placeholder({ shape: [2] }))).toBe(false)
  })
  it('keeps nodes apart that wait for different things or want different devices', () => {
    const v = variable(0, { name: 'v' })
    expect(
      merged(
        add(a, b),
        controlDependencies([v.assign(1)], () => add(a, b)),
      ),
    ).toBe(false)
    expect(
      merged(
        add(a, b),
        device('/task:1', () => add(a, b)),
      ),
    ).toBe(false)
  })
  it('merges reads of a variable that see the same state, and no others', () => {
    const v = variable(0, { name: 'v' })
    const assigned = v.assign(1)
    const later = () => controlDependencies([assigned], () => v.read())
    expect(merged(later(), later())).toBe(true)
    expect(merged(v.read(), later())).toBe(false)
  })
  it('never merges writes', () => {
    const v = variable(0, { name: 'v' })
    const graph = graphOf(v.assignAdd(1), v.assignAdd(1))
    expect(toposort(cse.run(graph)).filter((n) => n.op.traits.effect === 'write')).toHaveLength(2)
  })
  it('answers the same graph when there is nothing to merge', () => {
    const graph = graphOf(add(a, b), sub(a, b))
    expect(cse.run(graph) === graph).toBe(true)
  })
})
