import { Random } from '@shoal/conformance'
import { type DType, ndarray, type NDArray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Group, ReduceOptions } from '../index.ts'
import { Generations, localMeshes, Residuals } from '../index.ts'
import { largest } from './topK.ts'

const deadlineMs = 20_000
const slow = { latencySeconds: 0, bytesPerSecond: 1e8 }
/** So much latency that all go by the tree. */
const far = { latencySeconds: 1, bytesPerSecond: 1e8 }

async function groupsOf(n: number, link = slow): Promise<readonly Group[]> {
  const members = Array.from({ length: n }, (_, i) => `w${i}`)
  const meshes = await localMeshes(members)
  return meshes.map((mesh) => new Generations(mesh, { link }).enter({ number: 1, members }))
}

const random = (seed: string, shape: readonly number[], dtype: DType = 'float32'): NDArray => {
  const stream = new Random(seed)
  const size = shape.reduce((a, b) => a * b, 1)
  return ndarray(Float64Array.from({ length: size }, () => Math.round(stream.between(-1e5, 1e5)) / 64))
    .cast(dtype)
    .reshape(shape)
}

const bits = (arrays: readonly NDArray[]): string =>
  arrays.map((a) => `${a.dtype}[${a.shape}]${Buffer.from(a.bytes).toString('base64')}`).join()

/** What every member gets, which must be the same for all. */
async function reduced(
  groups: readonly Group[],
  arrays: readonly (readonly NDArray[])[],
  options: readonly ReduceOptions[],
): Promise<readonly NDArray[]> {
  const results = await Promise.all(
    groups.map((group, i) => group.allReduce('k', arrays[i]!, { deadlineMs, ...options[i]! })),
  )
  for (const result of results) expect(bits(result)).toBe(bits(results[0]!))
  return results[0]!
}

const sizes = [1, 2, 3, 4, 7]
const ways = [
  ['the ring', slow],
  ['the tree', far],
] as const

describe.each(ways)('a sum over %s', (_, link) => {
  it.each(sizes)('of %i members is the plain one, with the same bits for all', async (n) => {
    const groups = await groupsOf(n, link)
    const shapes = [[3, 5], [], [0, 4], [n === 3 ? 200_001 : 1001], [1]]
    const arrays = groups.map((_, i) => shapes.map((shape, j) => random(`${i} ${j}`, shape)))
    const copies = arrays.map((list) => list.map((a) => [...a.numbers()]))
    const sums = await reduced(
      groups,
      arrays,
      groups.map(() => ({ op: 'sum' })),
    )
    sums.forEach((sum, j) => {
      expect(sum.shape).toEqual(shapes[j])
      const exact = sum.numbers().map((_, k) => copies.reduce((total, list) => total + list[j]![k]!, 0))
      const worst = sum.numbers().reduce((most, x, k) => Math.max(most, Math.abs(x - exact[k]!)), 0)
      expect(worst).toBeLessThanOrEqual(n * 1e-3)
    })
    expect(arrays.map((list) => list.map((a) => [...a.numbers()]))).toEqual(copies)
  })

  it.each(sizes)('of %i members is exact where it can be', async (n) => {
    const groups = await groupsOf(n, link)
    const types = ['float64', 'int32', 'int64'] as const
    const arrays = groups.map((_, i) => types.map((dtype) => random(`${i}`, [1000], dtype)))
    const sums = await reduced(
      groups,
      arrays,
      groups.map(() => ({ op: 'sum' })),
    )
    sums.forEach((sum, j) =>
      expect(sum.numbers()).toEqual(
        sum.numbers().map((_, k) => arrays.reduce((total, list) => total + Number(list[j]!.data[k]), 0)),
      ),
    )
  })

  it.each(['bfloat16', 'float16'] as const)('in %s gives all the same rounded values', async (wire) => {
    const groups = await groupsOf(4, link)
    const arrays = groups.map((_, i) => [random(`${i}`, [5000])])
    const [sum] = await reduced(
      groups,
      arrays,
      groups.map(() => ({ op: 'sum', wire })),
    )
    expect(sum!.dtype).toBe('float32')
    expect(sum!.cast(wire).cast('float32').data).toEqual(sum!.data)
    const step = wire === 'bfloat16' ? 2 ** -8 : 2 ** -11
    sum!.numbers().forEach((x, k) => {
      const terms = arrays.map(([a]) => a!.data[k] as number)
      const size = terms.reduce((total, term) => total + Math.abs(term), 0)
      expect(Math.abs(x - terms.reduce((total, term) => total + term, 0))).toBeLessThanOrEqual(
        4 * size * step,
      )
    })
  })

  it('weighs each member by its examples, and does not look at who has none', async () => {
    const groups = await groupsOf(4, link)
    const weights = [3, 0, 1.5, 8]
    const arrays = weights.map((weight, i) => [weight === 0 ? ndarray([NaN, NaN]) : ndarray([i, 10 * i])])
    const [mean] = await reduced(
      groups,
      arrays,
      weights.map((weight) => ({ weight })),
    )
    const expected = (2 * 1.5 + 3 * 8) / 12.5
    mean!.numbers().forEach((x, k) => expect(x).toBeCloseTo([expected, 10 * expected][k]!, 5))
  })

  it('fails for all when nobody has an example', async () => {
    const groups = await groupsOf(3, link)
    const results = await Promise.allSettled(
      groups.map((group) => group.allReduce('k', [ndarray([1])], { weight: 0, deadlineMs })),
    )
    for (const result of results)
      expect(result).toMatchObject({
        status: 'rejected',
        reason: {
          name: 'ExchangeError',
          message: expect.stringContaining('weights of all members are 0') as string,
        },
      })
  })
})

describe('a sum over a ring', () => {
  it('adds in the order that it says', async () => {
    const groups = await groupsOf(3)
    // Of segment c, member c comes first: (1e8 + 1) - 1e8 is 0 in float32, (1 - 1e8) + 1e8 is 0, (-1e8 + 1e8) + 1 is 1.
    const values = [1e8, 1, -1e8]
    const [sum] = await reduced(
      groups,
      values.map((v) => [ndarray([v, v, v])]),
      groups.map(() => ({ op: 'sum' })),
    )
    expect(sum!.numbers()).toEqual([0, 0, 1])
  })

  it('has the same bits whoever is late', async () => {
    const arrays = Array.from({ length: 4 }, (_, i) => [random(`${i}`, [300_000])])
    const inOrder = async (order: readonly number[]): Promise<string> => {
      const groups = await groupsOf(4)
      const results: Promise<readonly NDArray[]>[] = []
      for (const i of order) {
        results.push(groups[i]!.allReduce('k', arrays[i]!, { op: 'sum', deadlineMs }))
        await new Promise((resolve) => setImmediate(resolve))
      }
      return bits(await results[0]!)
    }
    expect(await inOrder([3, 1, 0, 2])).toBe(await inOrder([0, 1, 2, 3]))
  })

  it('widens half precision to add it', async () => {
    const groups = await groupsOf(3)
    const arrays = groups.map(() => [ndarray([2048, 1], 'float16'), ndarray([256, 1], 'bfloat16')])
    const sums = await reduced(
      groups,
      arrays,
      groups.map(() => ({ op: 'sum' })),
    )
    expect(sums.map((sum) => [sum.dtype, sum.numbers()])).toEqual([
      ['float16', [6144, 3]],
      ['bfloat16', [768, 3]],
    ])
  })
})

describe('members that do not agree', () => {
  const failing = async (
    acts: readonly ((group: Group) => Promise<unknown>)[],
  ): Promise<readonly string[]> => {
    const groups = await groupsOf(acts.length)
    const results = await Promise.allSettled(groups.map((group, i) => acts[i]!(group)))
    expect(groups.every(({ ended }) => ended !== undefined)).toBe(true)
    return results.map((r) =>
      r.status === 'rejected' ? `${(r.reason as Error).name}: ${(r.reason as Error).message}` : 'fulfilled',
    )
  }
  it('on shapes, options or keys all fail, and the error says so', async () => {
    const sum =
      (size: number, options: ReduceOptions = {}) =>
      (group: Group) =>
        group.allReduce('k', [ndarray(new Float32Array(size))], { deadlineMs, ...options })
    for (const message of await failing([sum(10), sum(10), sum(11)]))
      expect(message).toMatch(
        /^ExchangeError: generation 1 is over: 'all' is mean of float32\[1[01]\].*all must exchange the same/,
      )
    for (const message of await failing([sum(10), sum(10, { wire: 'bfloat16' })]))
      expect(message).toContain('in bfloat16')
    const meet = (key: string) => (group: Group) => group.barrier(key, { deadlineMs })
    for (const message of await failing([meet('a'), meet('b')]))
      expect(message).toContain("is at exchange 'b'")
  })
  it('on dtypes that have no sum: the caller hears why, the others that it gave up', async () => {
    const mean = (dtype: DType) => (group: Group) =>
      group.allReduce('k', [ndarray([1]).cast(dtype)], { deadlineMs })
    const [own, other] = await failing([mean('int32'), mean('float32')])
    expect(own).toBe('DTypeError: int32 has no mean: ask for the sum, or cast it to a float')
    expect(other).toContain("'w0' gave up exchange 'k'")
  })
})

describe('gather, broadcast and barrier', () => {
  it.each(sizes)('reach all of %i members', async (n) => {
    const groups = await groupsOf(n)
    const own = groups.map((_, i) => [ndarray(Array.from({ length: i + 1 }, () => i)), ndarray([`of ${i}`])])
    const gathered = await Promise.all(groups.map((g, i) => g.allGather('g', own[i]!, { deadlineMs })))
    for (const lists of gathered)
      expect(lists.map((l) => l.map((a) => a.toArray()))).toEqual(own.map((l) => l.map((a) => a.toArray())))
    const root = n - 1
    const given = await Promise.all(
      groups.map((g, i) => g.broadcast('b', i === root ? own[i]! : [], { root, deadlineMs })),
    )
    for (const arrays of given)
      expect(arrays.map((a) => a.toArray())).toEqual(own[root]!.map((a) => a.toArray()))
      // Nobody holds another's memory.
    ;(own[root]![0]!.data as Float32Array)[0] = -1
    ;(given[0]![0]!.data as Float32Array)[0] = -2
    for (const [array] of given.slice(1)) expect(array!.data[0]).toBe(root)
    await Promise.all(groups.map((g) => g.barrier('c', { deadlineMs })))
  })
})

describe('the largest elements', () => {
  it('are chosen, the first of equal ones', () => {
    expect([...largest(Float32Array.of(1, -3, 2, 3, 3, 0), 2)]).toEqual([1, 3])
    expect([...largest(Float32Array.of(0, 0, 0), 2)]).toEqual([0, 1])
    expect([...largest(Float32Array.of(5, NaN, -Infinity, 1e-40), 2)]).toEqual([1, 2])
    const values = random('x', [2000]).data as Float32Array
    const sorted = [...values].map(Math.abs).sort((a, b) => b - a)
    expect([...largest(values, 100)].map((i) => Math.abs(values[i]!)).sort((a, b) => b - a)).toEqual(
      sorted.slice(0, 100),
    )
  })

  it('are added up, and the others are sent later, so that nothing is lost', async () => {
    const groups = await groupsOf(3)
    const residuals = groups.map(() => new Residuals())
    const arrays = groups.map((_, i) => random(`${i}`, [40]))
    const compress = (i: number) => ({ topK: 0.1, residuals: residuals[i]! })
    const sum = async (list: readonly NDArray[]) =>
      (
        await reduced(
          groups,
          list.map((a) => [a]),
          groups.map((_, i) => ({ op: 'sum', compress: compress(i) })),
        )
      )[0]!.numbers()
    const first = await sum(arrays)
    expect(first.filter((x) => x !== 0).length).toBeLessThanOrEqual(12)
    const total = [...first]
    const zeros = arrays.map(() => ndarray(new Float32Array(40)))
    for (let i = 0; i < 9; i++) (await sum(zeros)).forEach((x, k) => (total[k]! += x))
    total.forEach((x, k) =>
      expect(x).toBeCloseTo(
        arrays.reduce((s, a) => s + (a.data[k] as number), 0),
        2,
      ),
    )
  })
})
