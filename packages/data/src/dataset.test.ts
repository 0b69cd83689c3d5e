import { DTypeError, NDArray, ndarray, ShapeError, ValueError } from '@shoal/core'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { Dataset } from './dataset.ts'

const range = (count: number) => Dataset.from(Array.from({ length: count }, (_, i) => i))
/** Numbers from a generator: of unknown size, and only to be had in order. */
const counted = (count: number) =>
  Dataset.from(function* () {
    for (let i = 0; i < count; i++) yield i
  })
/** A source that writes down what happens to it. */
function observed(count = Infinity) {
  const log = { made: 0, opened: 0, closed: 0 }
  const dataset = Dataset.from(async function* () {
    log.opened++
    try {
      for (let i = 0; i < count; i++) {
        log.made++
        yield i
      }
    } finally {
      log.closed++
    }
  })
  return { log, dataset }
}

describe('sources', () => {
  it('starts anew with each iteration', async () => {
    for (const dataset of [range(3), counted(3), Dataset.from(new Set([0, 1, 2]))]) {
      expect(await dataset.toArray()).toEqual([0, 1, 2])
      expect(await dataset.toArray()).toEqual([0, 1, 2])
    }
  })

  it('refuses an iterator, which could be read only once', () => {
    expect(() => Dataset.from([1, 2][Symbol.iterator]())).toThrow(ValueError)
  })

  it('slices tensors along the first axis without copying', async () => {
    const image = ndarray([
      [1, 2],
      [3, 4],
      [5, 6],
    ])
    const dataset = Dataset.fromTensors({ image, label: ndarray(['a', 'b', 'c']) })
    expectTypeOf(await dataset.toArray()).toEqualTypeOf<
      { readonly image: NDArray; readonly label: NDArray }[]
    >()
    const rows = await dataset.toArray()
    expect(dataset.size).toBe(3)
    expect(rows[1]!.image.toArray()).toEqual([3, 4])
    expect(rows[1]!.image.bytes.buffer).toBe(image.bytes.buffer)
    expect(rows[2]!.label.item()).toBe('c')
    expect(() => Dataset.fromTensors([image, ndarray([1])])).toThrow(ShapeError)
    expect(() => Dataset.fromTensors(ndarray(1))).toThrow(/scalar/)
  })
})

describe('batch', () => {
  it('stacks records and tuples leaf by leaf', async () => {
    const dataset = range(5).map((i) => ({
      x: new NDArray('int32', [2], Int32Array.of(i, -i)),
      at: [i, `n${i}`] as const,
    }))
    const batches = await dataset.batch(2).toArray()
    expectTypeOf(batches[0]!.x).toEqualTypeOf<NDArray<'int32'>>()
    expectTypeOf(batches[0]!.at).toEqualTypeOf<readonly [NDArray<'float32'>, NDArray<'string'>]>()
    expect(batches.map((batch) => batch.x.shape)).toEqual([
      [2, 2],
      [2, 2],
      [1, 2],
    ])
    expect(batches[1]!.x.toArray()).toEqual([
      [2, -2],
      [3, -3],
    ])
    expect(batches[1]!.at[1].toArray()).toEqual(['n2', 'n3'])
    expect(await dataset.batch(2, { dropRemainder: true }).toArray()).toHaveLength(2)
    expect([dataset.batch(2).size, dataset.batch(2, { dropRemainder: true }).size]).toEqual([3, 2])
  })

  it('is undone by unbatch', async () => {
    const rows = await range(5)
      .map((i) => ({ x: ndarray([i, i]) }))
      .batch(3)
      .unbatch()
      .toArray()
    expect(rows.map((row) => row.x.toArray())).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
      [4, 4],
    ])
  })

  it('names what does not fit', async () => {
    const shapes = Dataset.from([{ x: ndarray([1]) }, { x: ndarray([1, 2]) }]).batch(2)
    await expect(shapes.toArray()).rejects.toThrow(
      'element.x: element 1 is float32[2], element 0 is float32[1]',
    )
    await expect(
      Dataset.from([ndarray([1]), ndarray([1n])])
        .batch(2)
        .toArray(),
    ).rejects.toThrow(DTypeError)
    await expect(Dataset.from<unknown>([1, 'a']).batch(2).toArray()).rejects.toThrow(DTypeError)
    await expect(
      Dataset.from<object>([{ a: 1 }, { b: 1 }])
        .batch(2)
        .toArray(),
    ).rejects.toThrow(ShapeError)
    await expect(
      Dataset.from([new Uint8Array(1)])
        .batch(1)
        .toArray(),
    ).rejects.toThrow(DTypeError)
  })
})

describe('shuffle', () => {
  const sorted = (xs: readonly number[]) => xs.toSorted((a, b) => a - b)

  it.each([
    ['a whole array', () => range(100), undefined],
    ['a whole pipeline', () => range(100).map((i) => i), undefined],
    ['a buffer', () => counted(100), 10],
  ])('gives %s in an order that only seed and epoch decide', async (_, make, bufferSize) => {
    const shuffled = (seed: number) => make().shuffle({ seed, ...(bufferSize && { bufferSize }) })
    const dataset = shuffled(7)
    const [first, second] = [await dataset.toArray(), await dataset.toArray()]
    expect(sorted(first)).toEqual(await range(100).toArray())
    expect(first).not.toEqual(sorted(first))
    expect(second).not.toEqual(first)
    expect(await shuffled(7).toArray()).toEqual(first)
    expect(await shuffled(7).toArray({ epoch: 1 })).toEqual(second)
    expect(await shuffled(8).toArray()).not.toEqual(first)
  })

  it('keeps one order when told so', async () => {
    const dataset = range(50).shuffle({ seed: 1, reshuffleEachIteration: false })
    expect(await dataset.toArray()).toEqual(await dataset.toArray())
  })

  it('draws every order of three about equally often', async () => {
    const dataset = range(3).shuffle({ seed: 3 })
    const counts = new Map<string, number>()
    for (let i = 0; i < 6000; i++) {
      const order = (await dataset.toArray()).join('')
      counts.set(order, (counts.get(order) ?? 0) + 1)
    }
    expect(counts.size).toBe(6)
    // Five standard deviations of a binomial with n = 6000, p = 1/6.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(145)
  })

  it('demands a buffer for what it cannot count', () => {
    expect(() => counted(3).shuffle({ seed: 1 })).toThrow(/bufferSize/)
    expect(() => range(3).repeat().shuffle({ seed: 1 })).toThrow(/bufferSize/)
    expect(() => range(3).shuffle({ seed: 0.5 })).toThrow(ValueError)
  })
})

describe('selection', () => {
  it('takes, skips, filters, enumerates and shards', async () => {
    expect(await range(9).skip(2).take(3).toArray()).toEqual([2, 3, 4])
    expect(
      await counted(9)
        .filter((i) => i % 4 === 0)
        .enumerate()
        .toArray(),
    ).toEqual([
      [0, 0],
      [1, 4],
      [2, 8],
    ])
    expect(await counted(8).shard(3, 1).toArray()).toEqual([1, 4, 7])
    expect([0, 1, 2].map((index) => range(8).shard(3, index).size)).toEqual([3, 3, 2])
    expect(() => range(3).shard(2, 2)).toThrow(ValueError)
    expect(() => range(3).take(-1)).toThrow(ValueError)
  })

  it('makes no element more than it gives', async () => {
    const { log, dataset } = observed()
    expect(await dataset.take(3).toArray()).toEqual([0, 1, 2])
    expect(log).toEqual({ made: 3, opened: 1, closed: 1 })
  })

  it('repeats, with a new order each time', async () => {
    expect(await counted(2).repeat(3).toArray()).toEqual([0, 1, 0, 1, 0, 1])
    expect(await counted(0).repeat().toArray()).toEqual([])
    expect(await range(0).repeat().toArray()).toEqual([])
    const twice = await range(20).shuffle({ seed: 5 }).repeat(2).toArray()
    expect(twice.slice(0, 20)).not.toEqual(twice.slice(20))
    expect(range(3).repeat().size).toBe(Infinity)
  })

  it('slides windows', async () => {
    expect(await counted(5).window(2).toArray()).toEqual([[0, 1], [2, 3], [4]])
    expect(await counted(5).window(3, { shift: 1, dropRemainder: true }).toArray()).toEqual([
      [0, 1, 2],
      [1, 2, 3],
      [2, 3, 4],
    ])
    expect(await counted(6).window(2, { shift: 3, stride: 2 }).toArray()).toEqual([
      [0, 2],
      [3, 5],
    ])
    expect(await counted(7).window(2, { shift: 3 }).toArray()).toEqual([[0, 1], [3, 4], [6]])
  })
})

describe('combination', () => {
  it('zips records and tuples as long as the shortest', async () => {
    const zipped = Dataset.zip({ n: range(3), s: counted(9).map(String) })
    expectTypeOf(zipped).toEqualTypeOf<Dataset<{ n: number; s: string }>>()
    expect(await zipped.toArray()).toEqual([
      { n: 0, s: '0' },
      { n: 1, s: '1' },
      { n: 2, s: '2' },
    ])
    expect(await Dataset.zip([range(2), range(3)]).toArray()).toEqual([
      [0, 0],
      [1, 1],
    ])
    expect(Dataset.zip([range(2), range(3)]).size).toBe(2)
  })

  it('concatenates', async () => {
    expect(await range(2).concat(counted(2), range(1)).toArray()).toEqual([0, 1, 0, 1, 0])
  })

  it('interleaves in turns, and an heir follows one that ends', async () => {
    const dataset = range(3).interleave((i) => counted(2 - (i % 2)).map((j) => `${i}${j}`), {
      cycleLength: 2,
    })
    expect(await dataset.toArray()).toEqual(['00', '10', '01', '20', '21'])
    const blocks = range(2).interleave((i) => range(3).map((j) => `${i}${j}`), { blockLength: 2 })
    expect(await blocks.toArray()).toEqual(['00', '01', '10', '11', '02', '12'])
  })

  it('caches a complete pass, and no partial one', async () => {
    const { log, dataset } = observed(4)
    const cached = dataset.cache()
    await cached.take(2).toArray()
    expect(await cached.toArray()).toEqual([0, 1, 2, 3])
    expect(await cached.toArray({ from: 2 })).toEqual([2, 3])
    expect(log.opened).toBe(2)
    expect(cached.size).toBe(4)
  })
})

describe('resumption', () => {
  const pipelines: [string, () => Dataset<unknown>][] = [
    ['array', () => range(20)],
    ['generator', () => counted(20)],
    ['whole shuffle', () => range(20).shuffle({ seed: 1 })],
    ['buffered shuffle', () => counted(20).shuffle({ seed: 1, bufferSize: 4 })],
    [
      'batch',
      () =>
        range(20)
          .batch(3)
          .map((batch) => batch.toArray()),
    ],
    [
      'unbatch',
      () =>
        range(20)
          .batch(3)
          .unbatch()
          .map((x) => x.item()),
    ],
    ['map', () => range(20).map((x, i) => [x, i])],
    ['concurrent map', () => range(20).map((x, i) => [x, i], { concurrency: 3 })],
    ['filter', () => range(20).filter((x) => x % 3 > 0)],
    ['prefetch', () => range(20).prefetch(3)],
    ['take', () => counted(20).take(9)],
    ['skip', () => range(20).skip(9)],
    ['repeat', () => range(6).shuffle({ seed: 2 }).repeat(3)],
    ['repeat of unknown size', () => counted(6).repeat(3)],
    ['cache', () => range(9).cache()],
    ['zip', () => Dataset.zip([range(9), counted(9)])],
    ['concat', () => range(5).concat(counted(5), range(5))],
    ['interleave', () => range(5).interleave((i) => range(i + 1))],
    ['enumerate', () => range(9).enumerate()],
    ['shard', () => counted(20).shard(3, 1)],
    ['window', () => range(20).window(3, { shift: 2, stride: 2 })],
  ]
  it.each(pipelines)('of %s gives the rest from any element on', async (_, make) => {
    const all = await make().toArray()
    expect(make().size ?? all.length).toBe(all.length)
    for (let k = 0; k <= all.length + 1; k++) {
      expect(await make().skip(k).toArray()).toEqual(all.slice(k))
      expect(await make().toArray({ from: k })).toEqual(all.slice(k))
    }
  })

  it('makes nothing of what is skipped', async () => {
    const made: number[] = []
    const dataset = range(1000)
      .map((i) => made.push(i))
      .batch(10)
    await dataset.skip(99).toArray()
    expect(made).toEqual([990, 991, 992, 993, 994, 995, 996, 997, 998, 999])
  })
})
