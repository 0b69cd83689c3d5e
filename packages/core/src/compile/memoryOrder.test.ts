import { describe, expect, it } from 'vitest'
import type { Tensor } from '../graph/graph.ts'
import { gradients } from '../autodiff/gradients.ts'
import { inspectProgram } from '../inspect/program.ts'
import { add, matmul, placeholder, sum, tanh, variable, zeros } from '../ops/index.ts'
import { Session } from '../run/session.ts'
import type { Unit } from './units.ts'
import { orderForMemory } from './memoryOrder.ts'

/** A unit that reads and makes tensors. */
const unit = (outputs: readonly Tensor[], ...inputs: Tensor[]): Unit => ({
  kind: 'kernel',
  node: outputs[0]!.node,
  nodes: [outputs[0]!.node],
  inputs,
  outputs,
})

describe('orderForMemory', () => {
  const tensor = (name: string, size: number): Tensor => placeholder({ shape: [size], name })
  const orderOf = (units: readonly Unit[], fetched: readonly Tensor[] = []): string[] => {
    const makers = new Map(units.flatMap((u) => u.outputs.map((t) => [t, u] as const)))
    const before = (u: Unit): Unit[] => u.inputs.flatMap((t) => makers.get(t) ?? [])
    const use = {
      source: (t: Tensor) => t,
      bytes: (t: Tensor) => (t.shape as readonly number[])[0]! * 4,
      fetched: new Set(fetched),
    }
    return orderForMemory(units, before, use).map(({ node }) => node.name)
  }
  const [a, b, small, c, d] = ['a', 'b', 'small', 'c', 'd'].map((name) =>
    tensor(name, name === 'small' ? 1 : 100),
  ) as [Tensor, Tensor, Tensor, Tensor, Tensor]

  it('runs what frees memory before what takes more', () => {
    expect(orderOf([unit([a]), unit([b]), unit([c], b), unit([small], a)], [small, c])).toEqual([
      'a',
      'small',
      'b',
      'c',
    ])
  })
  it('keeps the order where everything takes memory', () => {
    expect(orderOf([unit([a]), unit([b]), unit([c]), unit([d], a, b, c)], [a, b, c, d])).toEqual([
      'a',
      'b',
      'c',
      'd',
    ])
  })
  it('starts with the smallest of those that leave nothing behind', () => {
    const large = tensor('large', 1000)
    expect(orderOf([unit([a]), unit([large], a), unit([c], a)])).toEqual(['a', 'c', 'large'])
  })
})

describe('a training step', () => {
  it('holds fewer bytes than its activations and all gradients together', async () => {
    const [batch, width, layers] = [8, 64, 6]
    const x = placeholder({ shape: [batch, width], name: 'x' })
    const weights = Array.from({ length: layers }, (_, i) =>
      variable(zeros([width, width]), { name: `w${i}` }),
    )
    const top = weights.reduce<Tensor>((h, w) => tanh(matmul(h, w)), x)
    const slopes = gradients(sum(top), weights)
    const steps = weights.map((w, i) => w.assign(add(w, slopes[i]!)))
    await using session = new Session()
    const [program] = await session.programs(
      steps.map((t) => t.node),
      { x: zerosOf(batch, width) },
    )
    const gradient = 4 * width * width
    const activations = 4 * batch * width * (layers + 3)
    expect(inspectProgram(program!).memory.slots).toBeLessThan(activations + 2 * gradient)
  })
})

const zerosOf = (rows: number, columns: number): number[][] =>
  Array.from({ length: rows }, () => new Array<number>(columns).fill(0))
