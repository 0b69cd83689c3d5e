import { describe, expect, it } from 'vitest'
import {
  add,
  cond,
  exp,
  gather,
  gatherNd,
  greater,
  inspectProgram,
  less,
  matmul,
  mul,
  placeholder,
  print,
  relu,
  reshape,
  scan,
  Session,
  slice,
  softmax,
  sum,
  unique,
  ValueError,
  variable,
  whileLoop,
  zeros,
} from '../index.ts'
import type { Feeds, Tensor } from '../index.ts'

const x = placeholder({ shape: ['batch', 8], name: 'x' })
const feeds = [[x, Array.from({ length: 4 }, () => Array.from({ length: 8 }, () => 1))]] as const

describe('inspectProgram', () => {
  it('says which nodes went into which kernel, what they read, and what they cost', async () => {
    const w = variable(zeros([8, 5]), { name: 'w' })
    await using session = new Session()
    const [program] = await session.programs(softmax(relu(matmul(x, w))), feeds)
    const report = inspectProgram(program!)
    const fused = report.steps.find((step) => step.kind === 'fused')!
    const product = report.steps.find((step) => step.kind === 'kernel')!
    const ops = fused.nodes.map((node) => node.split(': ')[1])
    expect(ops).toEqual(expect.arrayContaining(['Relu', 'Max', 'Exp', 'Sum', 'Div']))
    expect(fused.loops).toBe('[4 | 5]')
    expect(product.flops).toBe(2 * 4 * 8 * 5)
    expect(product.bytes).toBe(4 * (4 * 8 + 8 * 5 + 4 * 5))
    expect(report.launches).toBe(2)
    expect(report.memory.slots).toBeGreaterThan(0)
    const lines = String(report).split('\n')
    expect(lines[0]).toContain('2 kernels')
    expect(lines.some((line) => line.startsWith('  fused softmax'))).toBe(true)
  })
  it('counts an operation for each element, and a reduction for each term', async () => {
    await using session = new Session()
    const [program] = await session.programs(sum(exp(add(x, 1))), feeds)
    expect(inspectProgram(program!).flops).toBe(3 * 32)
  })
  it('counts the memory that an assignment writes once', async () => {
    const v = variable(zeros([1000]), { name: 'v' })
    const delta = placeholder({ shape: [1000], name: 'delta' })
    await using session = new Session()
    const bytesOf = async (fetch: Tensor) => {
      const [program] = await session.programs(fetch, { delta: new Float32Array(1000) })
      return inspectProgram(program!).bytes
    }
    await session.initialize(v)
    expect(await bytesOf(v.assign(exp(add(v, delta))))).toBe(12_000)
    expect(await bytesOf(v.assignAdd(delta))).toBe(12_000)
  })
  it('counts in words', async () => {
    await using session = new Session()
    const [program] = await session.programs(add(x, 1), feeds)
    expect(String(inspectProgram(program!))).toContain(': 1 kernel, ')
  })
  it('names the bodies of branches and loops', async () => {
    const { state } = scan(([h], [row]) => [[add(h!, row!)], []], [zeros([8])], [x], { name: 'walk' })
    const chosen = cond(
      greater(sum(x), 0),
      () => exp(sum(state[0]!)),
      () => sum(x),
    )
    const [rounds] = whileLoop(
      (i) => less(i!, 3),
      (i) => [add(i!, 1)],
      [chosen],
      { name: 'rounds' },
    )
    await using session = new Session()
    const [program] = await session.programs(rounds!, feeds)
    const report = inspectProgram(program!)
    const bodies = report.bodies.map(({ body }) => body)
    expect(bodies).toEqual([
      'body of walk',
      'branch 0 of 2 of case',
      'branch 1 of 2 of case',
      'condition of rounds',
      'body of rounds',
    ])
    const lines = String(report).split('\n')
    for (const body of bodies) expect(lines.some((line) => line.startsWith(`  ${body}: `))).toBe(true)
  })
  it('shows no reads of variables, which are no work, and names what runs on the host', async () => {
    const v = variable(zeros([8]), { name: 'v' })
    await using session = new Session()
    const [program] = await session.programs(print(add(x, v), { message: 'sum' }), feeds)
    const report = inspectProgram(program!)
    expect(report.steps.map(({ kind }) => kind)).toEqual(['fused', 'host'])
    expect(String(report)).toMatch(/^ {2}host \S+: Print /m)
  })
  it('counts of a table what is picked from it, and what is written to it', async () => {
    const table = variable(zeros([10_000, 4]), { name: 'table' })
    const indices = placeholder({ shape: [3], dtype: 'int32', name: 'indices' })
    const tuples = reshape(indices, { shape: [3, 1] })
    const rows = placeholder({ shape: [3, 4], name: 'rows' })
    await using session = new Session()
    await session.initialize(table)
    const bytesOf = async (fetch: Tensor, fed: Feeds) => {
      const [program] = await session.programs(fetch, fed)
      return inspectProgram(program!).bytes
    }
    const picking = { indices: [0, 1, 2] }
    const [index, row] = [3 * 4, 3 * 4 * 4]
    expect(await bytesOf(gather(table, indices), picking)).toBe(index + 2 * row)
    expect(await bytesOf(gatherNd(table, tuples), picking)).toBe(index + 2 * row)
    expect(await bytesOf(mul(slice(table, { begin: [5, 0], size: [3, 4] }), 2), [])).toBe(2 * row)
    const writing = {
      ...picking,
      rows: [
        [1, 2, 3, 4],
        [1, 2, 3, 4],
        [1, 2, 3, 4],
      ],
    }
    expect(await bytesOf(table.scatterUpdate(indices, rows), writing)).toBe(index + 2 * row)
    expect(await bytesOf(table.scatterAdd(indices, rows), writing)).toBe(index + 3 * row)
  })
  it('counts the whole of a table that is read more often', async () => {
    const table = variable(zeros([2, 4]), { name: 'table' })
    const indices = placeholder({ shape: [6], dtype: 'int32', name: 'indices' })
    await using session = new Session()
    const [program] = await session.programs(gather(table, indices), { indices: [0, 1, 0, 1, 0, 1] })
    expect(inspectProgram(program!).bytes).toBe(4 * (2 * 4 + 6 + 6 * 4))
  })
  it('says whether a limit was met, and what it came to where not', async () => {
    const lines: string[] = []
    const chain = sum(exp(sum(exp(matmul(x, zeros([8, 8]))), { axes: [1] })))
    const reportOf = async (maxActivationBytes: number) => {
      await using session = new Session({ maxActivationBytes, log: (line) => lines.push(line) })
      const [program] = await session.programs(chain, feeds)
      return inspectProgram(program!)
    }
    const met = await reportOf(1e6)
    expect([lines, met.memory.limit]).toEqual([[], 1e6])
    expect(String(met)).toContain('B in slots, within the limit of 1.00 MB')
    const { memory, ...rest } = await reportOf(16)
    expect(memory.slots).toBeGreaterThan(16)
    expect(String(rest)).toContain('B in slots, more than the limit of 16 B')
    expect(lines).toEqual([
      expect.stringContaining(`take ${memory.slots} bytes: maxActivationBytes, 16, cannot be met`),
    ])
  })
  it('refuses what is no program, and shows how to come by one', async () => {
    await using session = new Session()
    const programs = session.programs(add(x, 1), feeds)
    const refused = (given: unknown) => () => inspectProgram(given as never)
    expect(refused(programs)).toThrow('one program, got a promise, which was not awaited: const [program] =')
    expect(refused(await programs)).toThrow('got [an object of class Program]')
    expect(refused(undefined)).toThrow(ValueError)
  })
  it('refuses a graph with sizes that only a run can tell', async () => {
    await using session = new Session()
    const { values } = unique(placeholder({ shape: [4], name: 'v' })) as unknown as { values: never }
    await expect(session.programs(values, { v: [1, 1, 2, 3] })).rejects.toThrow(ValueError)
  })
})
