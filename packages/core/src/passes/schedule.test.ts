import { describe, expect, it } from 'vitest'
import type { Graph, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { controlDependencies } from '../graph/scope.ts'
import { add, matmul, placeholder, sum, tanh, variable } from '../ops/index.ts'
import { Session } from '../run/session.ts'
import { peakBytes, schedule } from './schedule.ts'

const graphOf = (...fetches: Tensor[]): Graph => ({ fetches, targets: [] })
describe('schedule', () => {
  const x = (size: number) => placeholder({ shape: [2, size], name: `x${size}` })
  const tree = () =>
    [4, 8, 16, 32]
      .map((n) => matmul(tanh(x(n)), placeholder({ shape: [n, n], name: `w${n}` })))
      .map((t) => sum(t, { axes: [1] }))
      .reduce((a, b) => add(a, b))

  it('lowers the peak of a tree that grows to the right', () => {
    const row = (n: number): Tensor =>
      sum(
        matmul(placeholder({ shape: [n, 1], name: `a${n}` }), placeholder({ shape: [1, n], name: `b${n}` })),
        { axes: [0], keepDims: true },
      )
    const big = (n: number): Tensor => matmul(row(n), placeholder({ shape: [n, 256], name: `c${n}` }))
    const right = [64, 64, 64].reduceRight<Tensor>((rest, n) => add(big(n), tanh(rest)), big(512))
    const graph = graphOf(right)
    const [naive, planned] = [
      peakBytes(toposort(graph), graph.fetches),
      peakBytes(schedule(graph), graph.fetches),
    ]
    expect(planned).toBeLessThan(naive)
    expect(new Set(schedule(graph))).toEqual(new Set(toposort(graph)))
  })
  it('keeps every dependency', () => {
    const v = variable(0, { name: 'v' })
    const t = tree()
    const late = controlDependencies([v.assign(1), t], () => tanh(t))
    const graph = graphOf(late, sum(t))
    const order = schedule(graph)
    for (const node of order)
      for (const before of [...node.inputs.map((i) => i.node), ...node.control])
        expect(order.indexOf(before)).toBeLessThan(order.indexOf(node))
  })
  it('keeps the values of programs', async () => {
    const [a, b] = [placeholder({ shape: [2, 2], name: 'a' }), placeholder({ shape: [2, 2], name: 'b' })]
    const wide = placeholder({ shape: [64, 2], name: 'wide' })
    const y = add(matmul(b, b), matmul(matmul(wide, a), wide, { transposeA: true }))
    expect(schedule(graphOf(y)).map((n) => n.id)).not.toEqual(toposort(graphOf(y)).map((n) => n.id))
    await using session = new Session()
    const feeds = {
      a: [
        [1, 2],
        [3, 4],
      ],
      b: [
        [1, 2],
        [3, 4],
      ],
      wide: Array.from({ length: 64 }, () => [1, 1]),
    }
    // Columns of a sum to 4 and 6; there are 64 rows of them; b · b is [[7, 10], [15, 22]].
    expect((await session.run(y, feeds)).toArray()).toEqual([
      [263, 266],
      [399, 406],
    ])
  })
})
