import { describe, expect, it } from 'vitest'
import type { PartStrategy, Tensor } from '../../index.ts'
import {
  add,
  densify,
  device,
  embeddingLookup,
  embeddingLookupSparse,
  fromGraphDef,
  IndexedSlices,
  matmul,
  mul,
  partitionedVariable,
  placeholder,
  reference,
  Session,
  sparseGradients,
  sum,
  toGraphDef,
  variable,
  variablesOf,
} from '../../index.ts'

const rows = Array.from({ length: 7 }, (_, i) => [i, 10 + i, -i])
const cuts = (['div', 'mod'] as const).flatMap((strategy) =>
  [1, 2, 3, 7].map((parts) => ({ strategy, parts })),
)

describe.each(cuts)('a variable in $parts parts by $strategy', ({ strategy, parts }) => {
  const table = partitionedVariable(rows, { name: 'table', parts, strategy })

  it('is read, looked up and set as one', async () => {
    await using session = new Session()
    await session.initialize(...table.parts)
    const ids = placeholder({ shape: ['n', 2], dtype: 'int32', name: 'ids' })
    const wanted = [
      [6, 0],
      [3, 3],
      [-1, 7],
      [1, 5],
    ]
    const [whole, found, product] = await session.run(
      [table.read(), embeddingLookup(table, ids), matmul(table, [[1], [2], [3]])],
      { ids: wanted },
    )
    expect(whole.toArray()).toEqual(rows)
    expect(found.toArray()).toEqual(wanted.map((pair) => pair.map((id) => rows[id] ?? [0, 0, 0])))
    expect(product.toArray()).toEqual(rows.map(([a, b, c]) => [a! + 2 * b! + 3 * c!]))
    await session.run(table.assign(mul(table, 2)))
    expect((await session.run(table.read())).toArray()).toEqual(rows.map((row) => row.map((x) => 2 * x)))
  })

  it('has the gradients of one, part by part', async () => {
    const one = variable(rows, { name: 'one' })
    const ids = placeholder({ shape: ['n'], dtype: 'int32', name: 'ids' })
    const loss = (of: Tensor): Tensor => sum(mul(of, mul(of, [1, 2, 3])))
    const found = sparseGradients(loss(embeddingLookup(table, ids)), table.parts)
    expect(found.every((g) => g instanceof IndexedSlices)).toBe(true)
    const [expected] = sparseGradients(loss(embeddingLookup(one, ids)), [one])
    const whole = sparseGradients(loss(add(table, 1)), table.parts)
    const [wholeExpected] = sparseGradients(loss(add(one, 1)), [one])
    await using session = new Session()
    await session.initialize(...table.parts, one)
    const fetches = [...found, expected, ...whole, wholeExpected].map((g) => densify(g!))
    const values = (await session.run(fetches, { ids: [2, 5, 2, 0, 6] })).map(
      (a) => a.toArray() as number[][],
    )
    const joined = (part: number[][][]): number[][] =>
      rows.map((_, row) => {
        const at = table.parts.findIndex(({ resource: { slice }, shape }) => {
          const place = (row - slice!.start) / slice!.stride
          return Number.isInteger(place) && place >= 0 && place < shape[0]!
        })
        const { start, stride } = table.parts[at]!.resource.slice!
        return part[at]![(row - start) / stride]!
      })
    expect(joined(values.slice(0, parts))).toEqual(values[parts])
    expect(joined(values.slice(parts + 1, -1))).toEqual(values.at(-1))
  })
})

describe('partitioned variables', () => {
  it('are cut by bytes, no row in two', () => {
    const shapes = (maxPartBytes: number, maxParts?: number): number[] =>
      partitionedVariable(rows, { name: 't', maxPartBytes, ...(maxParts && { maxParts }) }).parts.map(
        ({ shape }) => shape[0]!,
      )
    expect(shapes(1000)).toEqual([7])
    expect(shapes(40)).toEqual([3, 2, 2])
    expect(shapes(30)).toEqual([2, 2, 2, 1])
    expect(shapes(1)).toEqual([1, 1, 1, 1, 1, 1, 1])
    expect(shapes(1, 3)).toEqual([3, 2, 2])
  })

  it('begin with what a function makes of each part, and live where each is declared', async () => {
    const asked: string[] = []
    const spread = ({ name }: { readonly name: string }): string => {
      asked.push(name)
      return `/device:reference:${asked.length % 2}`
    }
    const table = device(
      (what) => ('kind' in what ? spread(what) : ''),
      () =>
        partitionedVariable(({ shape, start, stride }) => shapeRows(shape[0]!, start, stride), {
          name: 'deep/table',
          parts: 3,
          strategy: 'mod',
          shape: [7, 3],
        }),
    )
    expect(asked).toEqual(['deep/table/part_0', 'deep/table/part_1', 'deep/table/part_2'])
    await using session = new Session({ devices: [reference(), reference()] })
    await session.initialize(...table.parts)
    expect((await session.run(table.read())).toArray()).toEqual(rows)
    const [program] = (await session.programs(table.parts[0]!.read())).map(({ deviceName }) => deviceName)
    expect(program).toMatch(/reference:1$/)
  })

  it('are combined in bags as whole tables are', async () => {
    const tables = [
      variable(rows, { name: 'whole' }),
      partitionedVariable(rows, { name: 'parts', parts: 3, strategy: 'mod' }),
    ]
    const bags = tables.map((table) => embeddingLookupSparse(table, [6, 1, 2, 4], { offsets: [0, 1, 4] }))
    await using session = new Session()
    await session.initialize(...bags)
    const [expected, found] = await session.run(bags)
    expect(found!.toArray()).toEqual(expected!.toArray())
  })

  it('are written with their graphs, and read again as parts', () => {
    const table = partitionedVariable(rows, { name: 'table', parts: 2, strategy: 'mod' })
    const def = toGraphDef({ fetches: [table.read()], targets: [] })
    const { graph } = fromGraphDef(JSON.parse(JSON.stringify(def)))
    expect(variablesOf(graph).map(({ slice }) => slice)).toEqual(
      table.parts.map(({ resource }) => resource.slice),
    )
  })

  it('are refused where they cannot be', () => {
    const name = 't'
    expect(() => partitionedVariable(rows, { name, parts: 8 })).toThrow('7 rows, too few for 8 parts')
    expect(() => partitionedVariable(rows, { name })).toThrow('either parts or maxPartBytes')
    expect(() => partitionedVariable(rows, { name, parts: 2, maxPartBytes: 9 })).toThrow('either parts')
    expect(() => partitionedVariable(1, { name, parts: 1 })).toThrow('must have known sizes and rows')
    expect(() => partitionedVariable(() => rows, { name, parts: 1 })).toThrow('say the shape')
    expect(() => partitionedVariable(() => rows, { name, parts: 2, shape: [7, 3] })).toThrow(
      "part 0 of 't' is [4, 3], its initial value is [7, 3]",
    )
    expect(() => partitionedVariable(rows, { name, parts: 2, strategy: 'hash' as PartStrategy })).toThrow(
      "'div' or 'mod'",
    )
    const table = partitionedVariable(rows, { name, parts: 2 })
    expect(() => table.assign([1, 2])).toThrow("'t' is [7, 3]")
  })
})

const shapeRows = (count: number, start: number, stride: number): number[][] =>
  Array.from({ length: count }, (_, i) => rows[start + i * stride]!)
