import { describe, expect, it } from 'vitest'
import { controlDependencies, variable } from '../index.ts'
import type { Node } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { orderEffects } from './effects.ts'

/** Reads and writes in order. */
const order = (...targets: Node[]): readonly Node[] =>
  orderEffects(toposort({ fetches: [], targets })).nodes.filter((n) => n.op.traits.effect !== undefined)

describe('the order of effects', () => {
  it('puts a read before a write that it does not wait for, though other writes hold it up', () => {
    const [v, w] = [variable(0, { name: 'v' }), variable(0, { name: 'w' })]
    const [writeV, writeW] = [v.assignAdd(1).node, w.assignAdd(1).node]
    const read = controlDependencies([writeW], () => v.read()).node
    expect(order(writeV, writeW, read).map((n) => n.name)).toEqual(['w/assignAdd', 'v/read', 'v/assignAdd'])
  })

  it('puts a read after the write that it waits for', () => {
    const v = variable(0, { name: 'v' })
    const first = v.assignAdd(1)
    const read = controlDependencies([first], () => v.read())
    const second = v.assignAdd(2)
    const nodes = order(second.node, read.node, first.node)
    expect(nodes.indexOf(first.node)).toBeLessThan(nodes.indexOf(read.node))
    expect(nodes.indexOf(read.node)).toBeLessThan(nodes.indexOf(second.node))
  })

  it('is found where two reads wait for each other\u2019s writes', () => {
    const [v, w, u] = ['v', 'w', 'u'].map((name) => variable(0, { name }))
    const [writeV, writeW, writeU] = [v!, w!, u!].map((x) => x.assignAdd(1).node)
    const readV = controlDependencies([writeW!, writeU!], () => v!.read()).node
    const readW = controlDependencies([writeV!, writeU!], () => w!.read()).node
    expect(order(readV, readW)).toHaveLength(5)
  })

  it('holds writes back over thousands of reads that wait in turn', () => {
    const v = variable(0, { name: 'v' })
    let last = v.assignAdd(1)
    for (let i = 0; i < 3000; i++) {
      const before = last
      const read = controlDependencies([before], () => v.read())
      last = controlDependencies([read], () => v.assignAdd(1))
    }
    const effects = order(last.node).map((n) => n.op.traits.effect)
    expect(effects).toHaveLength(6001)
    effects.forEach((effect, i) => expect(effect).toBe(i % 2 === 0 ? 'write' : 'read'))
  })
})
