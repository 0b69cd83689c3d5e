import { describe, expect, it } from 'vitest'
import { gradients } from '../autodiff/gradients.ts'
import { bodiesOf } from '../graph/effects.ts'
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { verify } from '../graph/verify.ts'
import { constant, exp, matmul, mul, scan, sum, tanh, transpose } from '../ops/index.ts'
import { Session } from '../run/session.ts'
import { cse } from './cse.ts'
import { expandComposites } from './expandComposites.ts'
import { removeIdentities } from './identity.ts'
import { keepValues } from './keepValues.ts'
import { pipeline } from './pass.ts'

const scans = (graph: Graph): Node[] => toposort(graph).filter((node) => node.op.name === 'Scan')
const opsIn = (node: Node): string[] => bodiesOf(node).flatMap((body) => toposort(body).map((n) => n.op.name))
const prepared = (fetches: readonly Tensor[]): Graph =>
  pipeline(expandComposites, removeIdentities, cse).run({ fetches, targets: [] })

/** h' = tanh(x + h · w), and the gradient of the sum of all h by w. */
function network(): readonly Tensor[] {
  const w = constant([
    [0.5, -0.25],
    [0.125, 0.75],
  ])
  const x = constant([[[0.5, 1]], [[-1, 0.25]], [[2, -0.5]]])
  const { results } = scan(
    ([h], [row]) => {
      const next = tanh(matmul(exp(row!), matmul(h!, w), { transposeA: true }))
      return [[next], [next]]
    },
    [constant([[0.25, 0.5]])],
    [constant([[[0.5]], [[-1]], [[0.25]]])],
  )
  return [sum(results[0]!), ...gradients(sum(mul(results[0]!, x)), [w]), w]
}

describe('keeping values of loops', () => {
  it('takes products and costly functions out of the loop that runs back', async () => {
    const before = prepared(network())
    const after = keepValues.run(before)
    verify(after)
    const [forward, back] = scans(after)
    expect(opsIn(scans(before)[1]!)).toContain('Tanh')
    expect(opsIn(back!)).not.toContain('Tanh')
    expect(opsIn(back!)).not.toContain('Exp')
    expect(opsIn(forward!)).toEqual(opsIn(scans(before)[0]!))
    expect(keepValues.run(after)).toBe(after)
    await using session = new Session()
    const [expected, actual] = [await session.run(before.fetches), await session.run(after.fetches)]
    expect(actual.map((t) => t.numbers())).toEqual(expected.map((t) => t.numbers()))
  })
  it('keeps nothing that every step computes alike', () => {
    const w = constant([
      [1, 2],
      [3, 4],
    ])
    const start = constant([[1, 2]])
    const { state } = scan(([h]) => [[matmul(h!, exp(w))], []], [start], [], { length: 3 })
    const graph = prepared(gradients(sum(state[0]!), [start]))
    expect(scans(graph).length).toBe(2)
    expect(keepValues.run(graph)).toBe(graph)
  })
  it('leaves loops alone that run over anything but the states of another', () => {
    const rows = scan(([h], [x]) => [[exp(mul(h!, x!))], [exp(x!)]], [constant(1)], [constant([1, 2])])
    const others = scan(([h], [x]) => [[mul(h!, exp(x!))], []], [constant(1)], [rows.results[0]!])
    const graph = prepared([others.state[0]!, transpose(rows.state[0]!)])
    expect(keepValues.run(graph)).toBe(graph)
  })
})
