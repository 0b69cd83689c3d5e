import { describe, expect, it } from 'vitest'
import type { Tensor } from '../graph/graph.ts'
import {
  add,
  constant,
  conv,
  matmul,
  mul,
  placeholder,
  select,
  squeeze,
  tanh,
  transpose,
} from '../ops/index.ts'
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
