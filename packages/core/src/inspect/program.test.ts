import { describe, expect, it } from 'vitest'
import {
  add,
  exp,
  inspectProgram,
  matmul,
  placeholder,
  relu,
  scan,
  Session,
  softmax,
  sum,
  unique,
  ValueError,
  variable,
  zeros,
} from '../index.ts'
import type { Tensor } from '../index.ts'

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
  it('shows the bodies of loops', async () => {
    const { state } = scan(([h], [row]) => [[add(h!, row!)], []], [zeros([8])], [x])
    await using session = new Session()
    const [program] = await session.programs(state, feeds)
    expect(inspectProgram(program!).bodies).toHaveLength(1)
  })
  it('refuses a graph with sizes that only a run can tell', async () => {
    await using session = new Session()
    const { values } = unique(placeholder({ shape: [4], name: 'v' })) as unknown as { values: never }
    await expect(session.programs(values, { v: [1, 1, 2, 3] })).rejects.toThrow(ValueError)
  })
})
