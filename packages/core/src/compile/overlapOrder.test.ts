import { describe, expect, it } from 'vitest'
import type { Tensor } from '../index.ts'
import {
  add,
  device,
  hostFunction,
  inspectProgram,
  matmul,
  placeholder,
  reference,
  Session,
  sub,
  sum,
  tanh,
} from '../index.ts'

const x = placeholder({ shape: [4, 4], name: 'x' })
const feeds = { x: Array.from({ length: 4 }, (_, i) => [i, 1, -i, 0.5]) }

/** What all members would add up. */
const exchanged = (t: Tensor, name: string): Tensor =>
  hostFunction([t], ([value]) => [value!], { types: [t.type], overlaps: true, name })[0]!

/** Products, and what begins and ends beside them, in order. */
async function orderOf(fetches: readonly Tensor[]): Promise<string[]> {
  await using session = new Session()
  const [program] = await session.programs(fetches, feeds)
  return inspectProgram(program!).steps.flatMap(({ kind, name }) =>
    kind === 'kernel' ? [name] : kind === 'start' || kind === 'finish' ? [`${kind} ${name}`] : [],
  )
}

describe('the order of a program that deals with the outside', () => {
  it('goes to what is sent by the shortest way, and takes up late what comes back', async () => {
    const layers = ['p1', 'p2', 'p3'].reduce<Tensor[]>(
      (hidden, name) => [...hidden, matmul(hidden.at(-1) ?? x, x, { name })],
      [],
    )
    // The last is asked for first.
    const gradients = layers.toReversed().map((h) => exchanged(h, `all/${h.node.name}`))
    const used = gradients.map((g) => matmul(g, g, { name: `use/${g.node.name}` }))
    const alone = matmul(tanh(x), x, { name: 'alone' })
    expect(await orderOf([...used, alone])).toEqual([
      'p1',
      'start all/p1',
      'p2',
      'start all/p2',
      'p3',
      'start all/p3',
      'alone',
      'finish all/p3',
      'use/all/p3',
      'finish all/p2',
      'use/all/p2',
      'finish all/p1',
      'use/all/p1',
    ])
  })

  it('answers each thing that comes before it waits for the next', async () => {
    const parts = ['a', 'b'].map((name) => {
      const come = exchanged(x, `come/${name}`)
      return exchanged(matmul(come, x, { name }), `go/${name}`)
    })
    expect(await orderOf(parts)).toEqual([
      'start come/a',
      'start come/b',
      'finish come/a',
      'a',
      'start go/a',
      'finish come/b',
      'b',
      'start go/b',
      'finish go/a',
      'finish go/b',
    ])
  })

  it('lets what goes on beside kernels begin with what comes of its kind', async () => {
    const chain = exchanged(exchanged(x, 'first'), 'second')
    const order = await orderOf([matmul(chain, x, { name: 'after' }), matmul(x, x, { name: 'beside' })])
    expect(order).toEqual(['start first', 'start second', 'beside', 'finish second', 'after', 'finish first'])
  })

  it('puts nothing into one kernel of which a part would wait for longer', async () => {
    const [first, second] = [exchanged(x, 'first'), exchanged(x, 'second')]
    // All of these run over the same elements of x.
    const free = exchanged(tanh(x), 'free')
    const fetches = [add(x, first), sub(x, second), free, sum(sub(first, x))]
    await using session = new Session()
    const [program] = await session.programs(fetches, feeds)
    const { steps } = inspectProgram(program!)
    const places = (name: string): number[] =>
      steps.flatMap((step, i) => (step.nodes.some((node) => node.includes(name)) ? [i] : []))
    expect(places('Tanh')[0]).toBeLessThan(places('free')[0]!)
    expect(places('free')[0]).toBeLessThan(places('first')[1]!)
    expect(places('Add')[0]).toBeLessThan(places('second')[1]!)
  })
})

describe('graphs on several devices', () => {
  /** Small numbers that look random, the same every time. */
  function numbers(seed: number): (below: number) => number {
    let state = seed
    return (below) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
  }

  it('never wait for each other in a circle, and compute what one device does', async () => {
    await using three = new Session({ devices: [reference(), reference(), reference()] })
    await using one = new Session()
    for (let seed = 1; seed <= 12; seed++) {
      const pick = numbers(seed)
      const tensors: Tensor[] = [x]
      for (let i = 0; i < 14; i++) {
        const [a, b] = [tensors[pick(tensors.length)]!, tensors[pick(tensors.length)]!]
        const make = [add, sub, matmul][pick(3)]!
        tensors.push(device(`/device:reference:${pick(3)}`, () => tanh(make(a, b))))
      }
      const fetches = [tensors.at(-1)!, tensors.at(-2)!, tensors[pick(tensors.length)]!]
      const [many, alone] = await Promise.all([three.run(fetches, feeds), one.run(fetches, feeds)])
      expect(many.map((a) => a.toArray())).toEqual(alone.map((a) => a.toArray()))
    }
  })
})
