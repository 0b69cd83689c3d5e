import { describe, expect, it } from 'vitest'
import { Session } from '../../run/session.ts'
import { NDArray } from '../../ndarray.ts'
import { placeholder } from '../graph/placeholder.ts'
import { glorotUniform } from './initializers.ts'
import { randomBits } from './randomBits.ts'
import { randomKey } from './randomKey.ts'
import { statelessInt, statelessNormal, statelessUniform } from './stateless.ts'
import { randomUniform } from './stateful.ts'
import { threefry } from './threefry.ts'
import { constant } from '../constant.ts'
import { concat } from '../array/concat.ts'
import { whileLoop } from '../control/whileLoop.ts'
import { add } from '../math/add.ts'
import { less } from '../math/less.ts'
import { fromGraphDef } from '../../graph/fromGraphDef.ts'
import type { Tensor } from '../../graph/graph.ts'
import { scope } from '../../graph/scope.ts'
import { toGraphDef } from '../../graph/toGraphDef.ts'

describe('threefry', () => {
  // Known answers that were published with Random123, for Threefry-2x32 with 20 rounds.
  const answers = [
    { key: [0, 0], counter: [0, 0], words: [0x6b200159, 0x99ba4efe] },
    { key: [0xffffffff, 0xffffffff], counter: [0xffffffff, 0xffffffff], words: [0x1cb996fc, 0xbb002be7] },
    { key: [0x13198a2e, 0x03707344], counter: [0x243f6a88, 0x85a308d3], words: [0xc4923a9c, 0x483df7a0] },
  ] as const
  it.each(answers)('gives the published words for key $key', ({ key, counter, words }) => {
    expect(threefry(key, counter)).toEqual(words)
  })

  it('gives the same words in a graph', async () => {
    await using session = new Session()
    const bits = await session.run(randomBits(constant([0, 0], 'uint32'), { shape: [1] }))
    expect(bits.numbers()).toEqual([0x6b200159])
  })
})

describe('keys', () => {
  const draws = async (
    seed: number,
    make: () => ReturnType<typeof randomKey>,
    runs: number,
  ): Promise<string[]> => {
    const key = make()
    await using session = new Session({ seed })
    const seen: string[] = []
    for (let i = 0; i < runs; i++) seen.push((await session.run(key)).numbers().join())
    return seen
  }

  it('are new in every run, and the same again with the same seeds', async () => {
    const first = await draws(7, () => randomKey({ seed: 1 }), 3)
    expect(new Set(first).size).toBe(3)
    expect(await draws(7, () => randomKey({ seed: 1 }), 3)).toEqual(first)
  })
  it('depend on the seed of the session and on that of the stream', async () => {
    const [key] = await draws(7, () => randomKey({ seed: 1 }), 1)
    expect(await draws(8, () => randomKey({ seed: 1 }), 1)).not.toEqual([key])
    expect(await draws(7, () => randomKey({ seed: 2 }), 1)).not.toEqual([key])
  })
  it('of streams without a seed differ', async () => {
    await using session = new Session()
    const [a, b] = await session.run([randomKey({ name: 'noise' }), randomKey({ name: 'noise' })])
    expect(a.numbers()).not.toEqual(b.numbers())
  })
  it('are the same again when the same program is built again', async () => {
    const program = () =>
      draws(
        7,
        () =>
          scope('noise', () => concat([randomKey(), randomKey(), randomKey({ name: 'own' })], { axis: 0 })),
        2,
      )
    const first = await program()
    randomKey()
    expect(await program()).toEqual(first)
  })
  it('keep their streams in all graphs of a session, and after saving', async () => {
    const [a, b] = [randomKey(), randomKey()]
    const saved = fromGraphDef(toGraphDef({ a, b })).fetches
    const drawn = async (fetches: readonly Tensor[]): Promise<unknown> => {
      await using session = new Session()
      const [first, second] = fetches as readonly [Tensor, Tensor]
      const both = await session.run([first, second])
      const again = await session.run(second)
      return [...both, again].map((key) => key.toArray())
    }
    const [one, two, three] = (await drawn([a, b])) as number[][]
    expect(new Set([one, two, three].map(String)).size).toBe(3)
    expect(await drawn([saved.get('a')!, saved.get('b')!])).toEqual([one, two, three])
  })
  it('in the body of a loop are told apart from those around it', async () => {
    await using session = new Session()
    const around = randomKey()
    const [, inner] = whileLoop(
      (i) => less(i!, 1),
      (i, _) => [add(i!, 1), randomKey()],
      [constant(0), constant([0, 0], 'uint32')],
    )
    const [a, b] = await session.run([around, inner!])
    expect(a.numbers()).not.toEqual(b.numbers())
  })
  it('are uint32[2], and nothing else is taken for one', () => {
    expect(() => randomBits(constant([1, 2, 3], 'uint32'), { shape: [1] })).toThrow(/a key is uint32\[2\]/)
    expect(() => randomBits(constant([1, 2], 'int32'), { shape: [1] })).toThrow(/uint32/)
  })
})

describe('draws', () => {
  const key = constant([3, 4], 'uint32')
  it('keep names of sizes until a run binds them', async () => {
    const x = placeholder({ shape: ['batch'], dtype: 'float32', name: 'x' })
    const u = statelessUniform(key, { shape: ['batch'] })
    expect(u.shape).toEqual(['batch'])
    await using session = new Session()
    const [, drawn] = await session.run(
      [x, u],
      new Map([[x, new NDArray('float32', [3], new Float32Array(3))]]),
    )
    expect(drawn.shape).toEqual([3])
  })
  it('of normal numbers are finite for any words', async () => {
    await using session = new Session()
    const drawn = await session.run(statelessNormal(key, { shape: [10000], dtype: 'float16' }))
    expect(drawn.numbers().every(Number.isFinite)).toBe(true)
  })
  it('of whole numbers need a range', () => {
    expect(() => statelessInt(key, { shape: [1], low: 3, high: 3 })).toThrow(/must hold 1 to 2\^32/)
  })
  it('of fractions need a float dtype', () => {
    expect(() => randomUniform([1], { dtype: 'int32' })).toThrow(/cannot draw fractions in int32/)
  })
  it('of equal seeds make equal weights', async () => {
    await using session = new Session()
    const [a, b, c] = await session.run([1, 1, 2].map((seed) => glorotUniform([2, 3], { seed })))
    expect(a!.numbers()).toEqual(b!.numbers())
    expect(a!.numbers()).not.toEqual(c!.numbers())
  })
})
