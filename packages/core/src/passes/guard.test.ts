import { describe, expect, it } from 'vitest'
import { GraphError } from '../errors.ts'
import type { Graph } from '../graph/graph.ts'
import { Tensor } from '../graph/graph.ts'
import { add, neg, placeholder } from '../ops/index.ts'
import { checked, withDeadline } from './guard.ts'
import type { Pass } from './pass.ts'
import { simplify } from './simplify.ts'

describe('passes under supervision', () => {
  const x = placeholder({ shape: [2], name: 'x' })
  const graph: Graph = { fetches: [neg(neg(add(x, 0)))], targets: [] }

  it('are refused when they break a graph', () => {
    const broken: Pass = { name: 'broken', run: (g) => ({ ...g, fetches: [new Tensor(x.node, 3, x.type)] }) }
    expect(() => checked(broken).run(graph)).toThrow(GraphError)
    expect(checked(simplify).run(graph).fetches).toEqual([x])
  })
  it('give the graph back whole when their time is over', () => {
    let time = 0
    const slow: Pass = {
      name: 'slow',
      run(g) {
        time += 100
        return g
      },
    }
    const late: string[] = []
    const options = { timeoutMs: 150, now: () => time, onTimeout: (name: string) => late.push(name) }
    expect(withDeadline([simplify, slow, { ...slow, name: 'slower' }], options).run(graph) === graph).toBe(
      true,
    )
    expect(late).toEqual(['slower'])
    expect(withDeadline([simplify, slow], options).run(graph).fetches).toEqual([x])
  })
})
