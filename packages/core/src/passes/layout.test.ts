import { describe, expect, it } from 'vitest'
import type { Tensor } from '../graph/graph.ts'
import { toposort } from '../graph/graph.ts'
import {
  add,
  constant,
  conv,
  matmul,
  mul,
  placeholder,
  select,
  squeeze,
  sum,
  tanh,
  transpose,
} from '../ops/index.ts'
import { Session } from '../run/session.ts'
import { constantFold } from './constantFold.ts'
import { layout } from './layout.ts'
import { repeated } from './pass.ts'
import { simplify } from './simplify.ts'

const moved = (t: Tensor): Tensor =>
  repeated([layout, simplify, constantFold]).run({ fetches: [t], targets: [] }).fetches[0]!

describe('layout', () => {
  const a = placeholder({ shape: [2, 3], name: 'a' })
  const b = placeholder({ shape: [4, 3], name: 'b' })

  it('lets a matrix product transpose its operands itself', () => {
    const { node } = moved(matmul(a, transpose(b)))
    expect(node.inputs).toEqual([a, b])
    expect(node.attrs).toMatchObject({ transposeA: false, transposeB: true })
    expect(
      moved(matmul(transpose(a), transpose(transpose(b)), { transposeA: true, transposeB: true })).node.attrs,
    ).toMatchObject({ transposeA: false, transposeB: true })
  })
  it('sees through an element-wise op that only the product reads', () => {
    const { node } = moved(matmul(a, mul(transpose(b), 2)))
    expect(node.attrs['transposeB']).toBe(true)
    expect(node.inputs[1]!.shape).toEqual([4, 3])
  })
  it('makes one product of a sum of products', async () => {
    const [x, y] = [
      constant([[[1, 2]], [[3, 4]], [[-5, 6]]]),
      constant([[[1, 0, 2]], [[0.5, 1, -1]], [[2, 2, 3]]]),
    ]
    const total = sum(matmul(x, y, { transposeA: true }), { axes: [0], keepDims: true })
    const after = layout.run({ fetches: [total], targets: [] }).fetches[0]!
    expect(after.shape).toEqual([1, 2, 3])
    const product = toposort({ fetches: [after], targets: [] }).find((node) => node.op.name === 'MatMul')!
    expect(product.inputs.map((t) => t.shape)).toEqual([
      [3, 2],
      [3, 3],
    ])
    await using session = new Session({ passes: { name: 'none', run: (graph) => graph } })
    const [expected, actual] = await session.run([total, after] as const)
    expect(actual.numbers()).toEqual(expected.numbers())
  })
  it('keeps sums of products whose operands would have to be turned at a higher cost, or are summed otherwise', () => {
    const [long, wide] = [placeholder({ shape: [4, 2, 50] }), placeholder({ shape: [4, 50, 2] })]
    const turned = sum(matmul(long, wide), { axes: [0] })
    expect(moved(turned)).toBe(turned)
    const rows = sum(matmul(wide, wide, { transposeA: true }), { axes: [1] })
    expect(moved(rows)).toBe(rows)
  })
  it('leaves other orders of axes alone', () => {
    const cube = placeholder({ shape: [2, 3, 4] })
    const t = matmul(transpose(cube, { order: [1, 0, 2] }), transpose(b, { order: [1, 0] }), {
      transposeB: true,
    })
    expect(moved(t).node.inputs[0]!.node.op.name).toBe('Transpose')
  })
  it('lets transposes meet behind an element-wise op', () => {
    const image = placeholder({ shape: [1, 4, 4, 3], name: 'image' })
    const there = transpose(image, { order: [0, 3, 1, 2] })
    expect(
      moved(transpose(select(constant(true), tanh(there), tanh(there)), { order: [0, 2, 3, 1] })).node
        .inputs[0],
    ).toBe(image)
  })
  it('makes a factor of a constant filter part of it', () => {
    const image = placeholder({ shape: [1, 4, 4, 1], name: 'image' })
    const filter = constant([[[[1, 2]]]])
    const scaled = moved(mul(conv(image, filter), constant([10, 100])))
    expect(scaled.node.op.name).toBe('Conv')
    expect((scaled.node.inputs[1]!.node.attrs['value'] as { toArray(): unknown }).toArray()).toEqual([
      [[[10, 200]]],
    ])
    const overSpace = mul(conv(image, filter), constant([[[1], [2], [3], [4]]]))
    expect(moved(overSpace) === overSpace).toBe(true)
    const read = conv(image, filter)
    const twice = add(mul(read, 2), tanh(read))
    expect(moved(twice).node.inputs[0]!.node.op.name).toBe('Mul')
  })
  it('adds a bias before the result of a convolution is relabelled', () => {
    const line = placeholder({ shape: [2, 1, 8, 3], name: 'line' })
    const filter = placeholder({ shape: [1, 3, 3, 5], name: 'filter' })
    const bias = placeholder({ shape: [5], name: 'bias' })
    const t = moved(add(squeeze(conv(line, filter), { axes: [1] }), bias))
    expect(t.node.op.name).toBe('Reshape')
    expect(t.node.inputs[0]!.node.inputs.map((u) => u.node.op.name)).toEqual(['Conv', 'Placeholder'])
  })
})
