import { describe, expect, it } from 'vitest'
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { controlDependencies } from '../graph/scope.ts'
import { add, constant, group, identity, placeholder, variable } from '../ops/index.ts'
import { Session } from '../run/session.ts'
import { prune } from './prune.ts'

const graphOf = (...fetches: Tensor[]): Graph => ({ fetches, targets: [] })
const waits = (t: Tensor): string[] => t.node.control.map((n) => n.name)
const counter = (name: string) => variable(0, { name }).assignAdd(1)
const after = (nodes: readonly (Node | Tensor)[], x: Tensor): Tensor =>
  controlDependencies(nodes, () => identity(x))

describe('prune', () => {
  const x = placeholder({ shape: [], name: 'x' })

  it('drops edges from constants and from all else that has no effect', () => {
    const graph = graphOf(after([constant(1), add(x, 1)], x))
    const [t] = prune.run(graph).fetches
    expect(waits(t!)).toEqual([])
  })
  it('keeps edges from effects, once', () => {
    const a = counter('a')
    const [t] = prune.run(graphOf(after([a, a, a], x))).fetches
    expect(waits(t!)).toEqual(['a/assignAdd'])
  })
  it('drops edges that an input waits for already', () => {
    const a = counter('a')
    const [t] = prune.run(graphOf(after([a], add(a, 1)))).fetches
    expect(waits(t!)).toEqual([])
  })
  it('waits for what makes a value that nobody reads', () => {
    const [a, b] = [counter('a'), counter('b')]
    const both = add(a, b)
    const [first, second] = prune.run(graphOf(after([both], a), after([both], b))).fetches
    expect(waits(first!)).toEqual(['b/assignAdd'])
    expect(waits(second!)).toEqual(['a/assignAdd'])
  })
  it('goes around a group unless that makes more edges', () => {
    const few = [counter('a'), counter('b')]
    const [t] = prune.run(graphOf(after([group(...few)], x))).fetches
    expect(waits(t!)).toEqual(['a/assignAdd', 'b/assignAdd'])
    const many = group(...['c', 'd', 'e', 'f', 'g'].map(counter))
    const readers = Array.from({ length: 5 }, () => after([many], x))
    const graph = graphOf(...readers)
    expect(prune.run(graph) === graph).toBe(true)
  })
  it('keeps targets, and effects still happen once', async () => {
    const v = variable(0, { name: 'v' })
    const first = v.assignAdd(1)
    const second = controlDependencies([group(first)], () => v.assignAdd(10))
    const done = group(second)
    const pruned = prune.run({ fetches: [], targets: [done] })
    expect(pruned.targets[0]!.op.name).toBe('Group')
    expect(toposort(pruned).filter((n) => n.op.name === 'Group')).toHaveLength(1)
    await using session = new Session({ passes: prune })
    await session.initialize(v)
    await session.run(done)
    expect((await session.run(v)).item()).toBe(11)
  })
  it('answers the same graph when every edge is needed', () => {
    const graph = graphOf(after([counter('a')], x))
    expect(prune.run(graph) === graph).toBe(true)
  })
})
