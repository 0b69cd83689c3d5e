import { describe, expect, it } from 'vitest'
import { bodiesOf } from '../graph/effects.ts'
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { verify } from '../graph/verify.ts'
import { add, constant, exp, identity, placeholder, scan, sin, variable } from '../ops/index.ts'
import { Session } from '../run/session.ts'
import { trimScans } from './trimScans.ts'

const trimmed = (...fetches: Tensor[]): Graph => trimScans.run({ fetches, targets: [] })
const scanIn = (graph: Graph): Node => toposort(graph).find((node) => node.op.name === 'Scan')!

describe('trimming scans', () => {
  const xs = constant([1, 2, 3])

  it('drops results and sequences that nobody reads', async () => {
    const { state, results } = scan(
      ([total], [x, y]) => [[add(total!, x!)], [exp(y!), sin(x!)]],
      [constant(0)],
      [xs, constant([4, 5, 6])],
    )
    const after = trimmed(state[0]!, results[1]!)
    verify(after)
    expect(toposort(bodiesOf(scanIn(after))[0]!).map((node) => node.op.name)).not.toContain('Exp')
    expect(scanIn(after).attrs['sequences']).toBe(1)
    expect(trimScans.run(after)).toBe(after)
    await using session = new Session()
    const [total, sines] = await session.run(after.fetches)
    expect(total!.item()).toBe(6)
    expect(sines!.numbers()).toEqual([1, 2, 3].map((x) => Math.fround(Math.sin(x))))
  })
  it('counts the steps itself when no sequence is left to tell them', async () => {
    const { state } = scan(([total]) => [[add(total!, 1)], []], [constant(0)], [xs])
    const after = trimmed(state[0]!)
    expect([scanIn(after).attrs['sequences'], scanIn(after).attrs['length']]).toEqual([0, 3])
    const open = placeholder({ shape: ['time'], name: 'open' })
    const unknown = scan(([total]) => [[add(total!, 1)], []], [constant(0)], [open]).state
    expect(scanIn(trimmed(unknown[0]!)).attrs['sequences']).toBe(1)
    await using session = new Session()
    expect((await session.run(after.fetches[0]!)).item()).toBe(3)
  })
  it('keeps results with effects', () => {
    const v = variable(0, { name: 'v' })
    const { state } = scan(
      ([total], [x]) => [[add(total!, x!)], [identity(v.assignAdd(x!))]],
      [constant(0)],
      [xs],
    )
    const graph = { fetches: state, targets: [] }
    expect(trimScans.run(graph)).toBe(graph)
  })
})
