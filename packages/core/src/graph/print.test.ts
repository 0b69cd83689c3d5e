// The text form, and what verify refuses.
import { describe, expect, it } from 'vitest'
import { GraphError } from '../errors.ts'
import { constant } from '../ops/constant.ts'
import { parameter } from '../ops/graph/parameter.ts'
import { placeholder } from '../ops/graph/placeholder.ts'
import { matmul } from '../ops/linalg/matmul.ts'
import { add } from '../ops/math/add.ts'
import { mutex } from '../ops/state/mutex.ts'
import { variable } from '../ops/state/variable.ts'
import { Tensor } from './graph.ts'
import { printGraph } from './print.ts'
import { controlDependencies, device } from './scope.ts'
import { verify } from './verify.ts'

describe('printGraph', () => {
  it('says each node in a line', () => {
    const x = placeholder({ shape: ['batch', 2], name: 'x' })
    const w = constant([[1], [2]], 'float32', { name: 'w' })
    const y = device('cpu', () => controlDependencies([w], () => matmul(x, w, { name: 'y' })))
    expect(printGraph({ fetches: [add(y, y, { name: 'y' })], targets: [y.node] })).toBe(
      [
        '%x = Placeholder() {shape: ["batch", 2], dtype: "float32"} : float32[batch, 2]',
        '%w = Const() {value: float32[2, 1](1, 2)} : float32[2, 1]',
        '%y = MatMul(%x, %w) {transposeA: false, transposeB: false} : float32[batch, 1]  @/device:cpu ^w',
        '%y_1 = Add(%y, %y) : float32[batch, 1]',
        'return %y_1',
        'run %y',
      ].join('\n'),
    )
  })
})

describe('verify', () => {
  it('accepts what the ops build', () => {
    const w = variable([1, 2])
    expect(() => verify({ fetches: [add(w, w)], targets: [mutex().lock()] })).not.toThrow()
  })
  it('refuses two resources of one name', () => {
    const [a, b] = [variable(1, { name: 'same' }), variable(2, { name: 'same' })]
    expect(() => verify({ fetches: [add(a, b)], targets: [] })).toThrow("two resources are named 'same'")
  })
  it('refuses a parameter outside of a body', () => {
    expect(() =>
      verify({ fetches: [parameter({ index: 0, shape: [], dtype: 'float32' })], targets: [] }),
    ).toThrow('is a parameter of no body')
  })
  it('refuses a tensor that its node does not have', () => {
    const { node } = constant(1)
    const foreign = new Tensor(node, 0, { dtype: 'float32', shape: [2] })
    expect(() => verify({ fetches: [foreign], targets: [] })).toThrow(GraphError)
  })
})
