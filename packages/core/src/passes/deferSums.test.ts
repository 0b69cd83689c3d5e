import { describe, expect, it } from 'vitest'
import { bodiesOf } from '../graph/effects.ts'
import type { Graph, Node, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { verify } from '../graph/verify.ts'
import { add, constant, fill, matmul, reshape, scan, slice, sum, tanh } from '../ops/index.ts'
import { Session } from '../run/session.ts'
import { deferSums } from './deferSums.ts'

const scanIn = (graph: Graph): Node => toposort(graph).find((node) => node.op.name === 'Scan')!
const xs = constant([[[1, 2]], [[3, -4]], [[0.5, 6]]])
const ys = constant([[[2, 1, 0]], [[-1, 5, 3]], [[4, 0.25, 1]]])

async function same(before: readonly Tensor[], after: Graph): Promise<void> {
  verify(after)
  await using session = new Session({ passes: { name: 'none', run: (graph) => graph } })
  const [expected, actual] = [await session.run(before), await session.run(after.fetches)]
  actual.forEach((t, i) => {
    expect(t.shape).toEqual(expected[i]!.shape)
    t.numbers().forEach((x, k) => expect(x).toBeCloseTo(expected[i]!.numbers()[k]! as number, 5))
  })
}

describe('sums over the steps of a loop', () => {
  it('of products of rows are taken after it', async () => {
    const { state } = scan(
      ([total], [x, y]) => [[add(total!, matmul(x!, y!, { transposeA: true }))], []],
      [fill({ shape: [2, 3], value: 10 })],
      [xs, ys],
    )
    const after = deferSums.run({ fetches: state, targets: [] })
    expect(scanIn(after)).toBeUndefined()
    await same(state, after)
    expect(deferSums.run(after)).toBe(after)
  })
  it('take their operands from states and from what a step makes', async () => {
    const { state, results } = scan(
      ([h, total, bias], [x, y]) => {
        const next = tanh(add(h!, x!))
        return [
          [
            next,
            add(matmul(h!, y!, { transposeA: true }), total!),
            add(bias!, reshape(sum(next, { axes: [0], keepDims: true }), { shape: [2] })),
          ],
          [next],
        ]
      },
      [fill({ shape: [1, 2] }), fill({ shape: [2, 3] }), fill({ shape: [2], value: 1 })],
      [xs, ys],
      { reverse: true },
    )
    const fetches = [...state, ...results]
    const all = [0, 1, 2].reduce((graph) => deferSums.run(graph), { fetches, targets: [] } as Graph)
    expect(scanIn(all).attrs['carries']).toBe(1)
    expect(bodiesOf(scanIn(all))[0]!.fetches.length).toBe(2)
    await same(fetches, all)
  })
  it('stay where the body reads them, or something reads their history', () => {
    const read = scan(
      ([total, h], [x, y]) => [
        [
          add(total!, matmul(x!, y!, { transposeA: true })),
          add(h!, slice(total!, { begin: [0, 0], size: [1, 3] })),
        ],
        [],
      ],
      [fill({ shape: [2, 3] }), fill({ shape: [1, 3] })],
      [xs, ys],
    )
    const graph = { fetches: read.state, targets: [] }
    expect(deferSums.run(graph)).toBe(graph)
    const one = scan(
      ([total], [x, y]) => [[add(total!, matmul(x!, y!, { transposeA: true }))], []],
      [fill({ shape: [2, 3] })],
      [xs, ys],
    ).state[0]!
    const withHistory = { fetches: [one, one.node.outputs.at(-1)!], targets: [] }
    expect(deferSums.run(withHistory)).toBe(withHistory)
  })
  it('stay where their operands would take more memory than they save', () => {
    const { state } = scan(
      ([total], [x]) => {
        const wide = tanh(matmul(x!, fill({ shape: [2, 64], value: 0.1 }), { transposeA: false }))
        return [[add(total!, sum(wide))], []]
      },
      [constant(0)],
      [xs],
    )
    const graph = { fetches: state, targets: [] }
    expect(deferSums.run(graph)).toBe(graph)
  })
})
