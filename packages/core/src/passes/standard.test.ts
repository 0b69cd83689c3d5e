import { describe, expect, it } from 'vitest'
import { bodiesOf } from '../graph/effects.ts'
import type { Graph, Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import { verify } from '../graph/verify.ts'
import type { NDArray } from '../ndarray.ts'
import {
  abs,
  add,
  broadcastTo,
  cast,
  concat,
  cond,
  constant,
  exp,
  expandDims,
  fill,
  identity,
  less,
  matmul,
  max,
  maximum,
  mul,
  neg,
  pad,
  placeholder,
  pow,
  reshape,
  reverse,
  slice,
  square,
  squeeze,
  stopGradient,
  sub,
  sum,
  tanh,
  tile,
  transpose,
  variable,
  whileLoop,
} from '../ops/index.ts'
import { Session } from '../run/session.ts'
import { optimizingPasses, requiredPasses, standardPasses } from './index.ts'
import { pipeline } from './pass.ts'

/** Park and Miller's generator: whole numbers below n that only depend on the seed. */
function dice(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (state * 48271) % 2147483647
    return state % n
  }
}

/** A graph of matrices [2, 2] in which much can be simplified. */
function randomGraph(seed: number): { graph: Graph; x: Tensor; y: Tensor } {
  const roll = dice(seed * 7919 + 1)
  const [x, y] = [placeholder({ shape: [2, 2], name: 'x' }), placeholder({ shape: [2, 2], name: 'y' })]
  const pool: Tensor[] = [
    x,
    y,
    constant([
      [0, 0],
      [0, 0],
    ]),
    constant([
      [1, 1],
      [1, 1],
    ]),
    fill({ shape: [2, 2], value: 2 }),
  ]
  const any = (): Tensor => pool[roll(pool.length)]!
  const small = (): Tensor => constant([0, 1, -1, 2, 0.5][roll(5)]!)
  const shuffled = (): Tensor => transpose(any(), { order: [roll(2)].flatMap((first) => [first, 1 - first]) })
  const rules: (() => Tensor)[] = [
    () => add(any(), any()),
    () => add(small(), any()),
    () => mul(any(), small()),
    () => sub(any(), any()),
    () => sub(any(), small()),
    () => mul(any(), any()),
    () => neg(any()),
    () => abs(any()),
    () => tanh(any()),
    () => square(tanh(any())),
    () => pow(tanh(any()), [1, 2, 3, 0][roll(4)]!),
    () => identity(any()),
    () => stopGradient(any()),
    shuffled,
    () => tanh(shuffled()),
    () => matmul(shuffled(), tanh(shuffled())),
    () => reshape(reshape(any(), { shape: [4] }), { shape: [2, 2] }),
    () => squeeze(expandDims(any(), { axis: 0 }), { axes: [0] }),
    () => broadcastTo(sum(any(), { axes: [roll(2)], keepDims: true }), { shape: [2, 2] }),
    () => broadcastTo(max(tanh(any()), { axes: [roll(2)], keepDims: true }), { shape: [2, 2] }),
    () => maximum(neg(any()), neg(any())),
    () =>
      slice(concat([any(), concat([any(), any()], { axis: 0 })], { axis: 0 }), {
        begin: [roll(5), 0],
        size: [2, 2],
      }),
    () => reverse(any(), { axes: [roll(2)] }),
    () => tile(any(), { times: [1, 1] }),
    () => slice(pad(any(), { before: [1, 0], after: [0, 1] }), { begin: [roll(2), roll(2)], size: [2, 2] }),
    () => cast(cast(any(), { to: 'float64' }), { to: 'float32' }),
    () => maximum(any(), any()),
  ]
  for (let i = 0; i < 30; i++) pool.push(tanh(rules[roll(rules.length)]!()), rules[roll(rules.length)]!())
  return { graph: { fetches: [pool.at(-1)!, pool.at(-2)!, any(), any()], targets: [] }, x, y }
}

const valuesOf = async (
  graph: Graph,
  feeds: Map<Tensor, readonly (readonly number[])[]>,
  optimised: boolean,
): Promise<NDArray[]> => {
  await using session = new Session({
    passes: optimised ? standardPasses : pipeline(...requiredPasses),
    fusion: optimised,
  })
  return await session.run(graph.fetches, feeds)
}

describe('the standard passes', () => {
  it.each(Array.from({ length: 40 }, (_, i) => i))(
    'keep the values of random graph %i, in fewer nodes',
    async (seed) => {
      const { graph, x, y } = randomGraph(seed)
      const after = standardPasses.run(graph)
      verify(after)
      expect(standardPasses.run(after) === after, 'nothing is left to do').toBe(true)
      expect(toposort(after).length).toBeLessThan(toposort(graph).length)
      const feeds = new Map([
        [
          x,
          [
            [0.5, -0.25],
            [1, 0.75],
          ],
        ],
        [
          y,
          [
            [-0.5, 0.125],
            [0.3, 2],
          ],
        ],
      ])
      const [expected, actual] = [await valuesOf(graph, feeds, false), await valuesOf(graph, feeds, true)]
      expected.forEach((value, i) => {
        const other = actual[i]!.numbers()
        value
          .numbers()
          .forEach((n, k) =>
            expect(Math.abs(other[k]! - n)).toBeLessThanOrEqual(1e-4 * Math.max(1, Math.abs(n))),
          )
      })
    },
  )

  it('each finds nothing left to do', () => {
    const after = standardPasses.run(randomGraph(99).graph)
    for (const pass of optimizingPasses) expect(pass.run(after) === after, pass.name).toBe(true)
  })

  it('keep the order of effects, and each of them once', async () => {
    const v = variable(1, { name: 'v' })
    const added = v.assignAdd(mul(identity(v.read()), 1))
    const all = [added, add(v.read(), 0), neg(neg(added))] as const
    await using session = new Session()
    await session.initialize(all)
    expect((await session.run(all)).map((t) => t.item())).toEqual([2, 1, 2])
    expect((await session.run(v)).item()).toBe(2)
  })

  it('go into the bodies of branches and loops', async () => {
    const x = placeholder({ shape: [], name: 'x' })
    const chosen = cond(
      less(x, 10),
      () => add(neg(neg(x)), 0),
      () => mul(exp(x), 1),
    )
    const [doubled] = whileLoop(
      (t) => less(mul(t, 1), 100),
      (t) => [add(mul(t, 2), 0)],
      [chosen],
    ) as [Tensor]
    const after = standardPasses.run({ fetches: [doubled], targets: [] })
    verify(after)
    const inner = toposort(after).flatMap((node) =>
      bodiesOf(node).flatMap((body) => toposort(body).map((n) => n.op.name)),
    )
    expect(inner).not.toContain('Neg')
    expect(inner).not.toContain('Add')
    expect(inner.filter((name) => name === 'Mul')).toHaveLength(1)
    await using session = new Session()
    expect((await session.run(doubled, [[x, 3]])).item()).toBe(192)
  })
})
