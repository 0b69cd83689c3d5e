// A batch divided by speed.
import { Random } from '@shoal/tune'
import { describe, expect, it } from 'vitest'
import { offersOf } from './offer.ts'
import { shares } from './shares.ts'
import { node } from './testing/cluster.ts'

const there = (...nodes: readonly string[]) =>
  nodes.map((nodeId, index) => ({ task: `worker:${index}`, node: nodeId }))

describe('shares', () => {
  it('are equal where speeds are', () => {
    const offers = offersOf([node('a'), node('b')], [])
    expect(shares({ batch: 64, there: there('a', 'b'), offers })).toEqual({ 'worker:0': 32, 'worker:1': 32 })
  })

  it('shrink where a node is slowed by heat', () => {
    const offers = offersOf([node('a'), node('b', { throttled: true })], [])
    expect(shares({ batch: 60, there: there('a', 'b'), offers })).toEqual({ 'worker:0': 40, 'worker:1': 20 })
  })

  it('leave nobody without an example while there are enough', () => {
    const offers = offersOf([node('a', { gflops: 1000 }), node('b', { gflops: 1 })], [])
    expect(shares({ batch: 8, there: there('a', 'b'), offers })).toEqual({ 'worker:0': 7, 'worker:1': 1 })
    expect(shares({ batch: 1, there: there('b', 'a'), offers })).toEqual({ 'worker:0': 0, 'worker:1': 1 })
  })

  it('give a task whose node is not known what is middling', () => {
    const offers = offersOf(
      [node('a', { gflops: 4 }), node('b', { gflops: 8 }), node('c', { gflops: 20 })],
      [],
    )
    expect(shares({ batch: 40, there: there('a', 'b', 'c', 'gone'), offers })['worker:3']).toBe(8)
  })

  it('are whole, sum up exactly, and never favour the slower', () => {
    const random = new Random(7, 0)
    for (let round = 0; round < 200; round++) {
      const count = 1 + random.below(12)
      const nodes = Array.from({ length: count }, (_, index) =>
        node(`n${index}`, { gflops: 1 + 30 * random.uniform() }),
      )
      const batch = random.below(300)
      const counts = Object.values(
        shares({ batch, there: there(...nodes.map((one) => one.nodeId)), offers: offersOf(nodes, []) }),
      )
      expect(counts.reduce((sum, examples) => sum + examples, 0)).toBe(batch)
      expect(
        counts.every((examples) => Number.isInteger(examples) && examples >= (batch >= count ? 1 : 0)),
      ).toBe(true)
      const bySpeed = nodes
        .map(({ inventory }, index) => ({ gflops: inventory.speed!.gflops, examples: counts[index]! }))
        .toSorted((a, b) => a.gflops - b.gflops)
      for (const [index, { examples }] of bySpeed.entries())
        expect(examples).toBeGreaterThanOrEqual((bySpeed[index - 1]?.examples ?? 0) - 1)
    }
  })
})
