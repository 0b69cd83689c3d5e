import { describe, expect, it } from 'vitest'
import type { Graph } from '../graph/graph.ts'
import { identity, placeholder, stopGradient, variable } from '../ops/index.ts'
import { controlDependencies } from '../graph/scope.ts'
import { removeIdentities } from './identity.ts'
import type { Pass } from './pass.ts'
import { pipeline, repeated } from './pass.ts'

const x = placeholder({ shape: [], name: 'x' })
const graph: Graph = { fetches: [identity(identity(x))], targets: [] }
/** Takes one identity off. */
const peel: Pass = {
  name: 'peel',
  run(g) {
    const [t] = g.fetches
    return t === x ? g : { ...g, fetches: [t!.node.inputs[0]!] }
  },
}

describe('passes', () => {
  it('run in order, once', () => {
    expect(pipeline(peel).run(graph).fetches[0]!.node.inputs[0]).toBe(x)
    expect(pipeline(peel, peel).run(graph).fetches[0]).toBe(x)
  })
  it('run again until nothing is left to do, or rounds are over', () => {
    expect(repeated([peel]).run(graph).fetches[0]).toBe(x)
    expect(repeated([peel], { maxRounds: 1 }).run(graph).fetches[0]).not.toBe(x)
  })
  it('remove nodes that hand on their input, unless they wait for something', () => {
    expect(removeIdentities.run({ fetches: [stopGradient(identity(x))], targets: [] }).fetches[0]).toBe(x)
    const waiting = controlDependencies([variable(0, { name: 'v' }).assign(1)], () => identity(x))
    const kept = { fetches: [waiting], targets: [] }
    expect(removeIdentities.run(kept) === kept).toBe(true)
  })
})
