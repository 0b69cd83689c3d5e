import { describe, expect, it } from 'vitest'
import { bodiesOf } from '../graph/effects.ts'
import type { Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { controlDependencies } from '../graph/scope.ts'
import { verify } from '../graph/verify.ts'
import { add, cond, exp, identity, less, mul, placeholder, tanh, variable, whileLoop } from '../ops/index.ts'
import { Session } from '../run/session.ts'
import { trimBodies } from './trimBodies.ts'

describe('trimming bodies', () => {
  const [x, y] = [placeholder({ shape: [], name: 'x' }), placeholder({ shape: [], name: 'y' })]

  it('drops results of branches that nobody reads, and what only they captured', async () => {
    const costly = exp(y)
    const [first, , third] = cond(
      less(x, 0),
      () => [tanh(x), mul(costly, 2), add(x, 1)],
      () => [mul(x, 3), costly, add(x, 2)],
    )
    const after = trimBodies.run({ fetches: [third!, first!], targets: [] })
    verify(after)
    expect(after.fetches.map((t) => t.index)).toEqual([1, 0])
    expect(toposort(after).map((node) => node.op.name)).not.toContain('Exp')
    expect(trimBodies.run(after) === after).toBe(true)
    await using session = new Session()
    expect((await session.run(after.fetches, { x: 4 })).map((t) => t.item())).toEqual([6, 12])
  })
  it('keeps the effects behind results that nobody reads', async () => {
    const v = variable(0, { name: 'v' })
    const [, wanted] = cond(
      less(x, 0),
      () => [v.assignAdd(1), identity(x)],
      () => [v.assignAdd(10), identity(x)],
    )
    await using session = new Session({ passes: trimBodies })
    await session.initialize(v)
    expect((await session.run(wanted!, { x: 4 })).item()).toBe(4)
    expect((await session.run(v)).item()).toBe(10)
  })
  it('lets a branch run for its effects alone', async () => {
    const v = variable(0, { name: 'v' })
    const result = cond(
      less(x, 0),
      () => v.assignAdd(1),
      () => v.assignAdd(10),
    )
    const after = controlDependencies([result], () => identity(y))
    await using session = new Session({ passes: trimBodies })
    await session.initialize(v)
    expect((await session.run(after, { x: -4, y: 1 })).item()).toBe(1)
    expect((await session.run(v)).item()).toBe(1)
  })
  it('keeps the states of loops, and drops what no body of them reads', () => {
    const [total] = whileLoop(
      (t) => less(t, 100),
      (t) => [add(t, add(x, mul(y, 0)))],
      [x],
    ) as [Tensor]
    const graph = { fetches: [total], targets: [] }
    expect(trimBodies.run(graph) === graph).toBe(true)
    expect(bodiesOf(total.node)).toHaveLength(2)
  })
})
