import { describe, expect, it } from 'vitest'
import type { Graph, Tensor } from '../graph/graph.ts'
import { controlDependencies } from '../graph/scope.ts'
import {
  add,
  broadcastTo,
  concat,
  constant,
  div,
  exp,
  cholesky,
  matmul,
  mul,
  placeholder,
  sub,
  variable,
} from '../ops/index.ts'
import { constantFold } from './constantFold.ts'
import { constantValue } from './values.ts'

const graphOf = (...fetches: Tensor[]): Graph => ({ fetches, targets: [] })
const folded = (t: Tensor): Tensor => constantFold.run(graphOf(t)).fetches[0]!
const valueOf = (t: Tensor) => constantValue(folded(t))?.toArray()

describe('constant folding', () => {
  const x = placeholder({ shape: [2], name: 'x' })

  it('computes expressions, views, reductions and kernels of constants', () => {
    expect(valueOf(add(constant([1, 2]), mul(constant(3), constant([4, 5]))))).toEqual([13, 17])
    expect(valueOf(matmul(constant([[1, 2]]), constant([[3], [4]])))).toEqual([[11]])
    expect(folded(add(constant(1), 2)).node.name).toBe('add')
  })
  it('leaves to the run what fails', () => {
    expect(folded(cholesky(constant([[-1]]))).node.op.name).toBe('Cholesky')
  })
  it('does not make graphs larger', () => {
    const large = add(constant([[1], [2]]), broadcastTo(constant([1, 2]), { shape: [2, 2] }))
    expect(valueOf(large)).toBeUndefined()
    const column = constant(new Float32Array(100).fill(1), undefined)
    const outer = mul(column, constant(Array.from({ length: 100 }, () => [2])))
    expect(folded(outer) === outer).toBe(true)
  })
  it('brings constants of a sum or product together', () => {
    const sum = folded(add(constant(1), add(sub(x, 2), 4))).node
    expect(sum.inputs[0]).toBe(x)
    expect(constantValue(sum.inputs[1]!)?.item()).toBe(3)
    const product = folded(mul(mul(x, 2), mul(x, 3))).node
    expect(constantValue(product.inputs[1]!)?.item()).toBe(6)
  })
  it('keeps constants apart whose product would overflow or vanish', () => {
    const t = mul(mul(x, 1e30), 1e30)
    expect(folded(t) === t).toBe(true)
    const tiny = mul(mul(x, 1e-30), 1e-30)
    expect(folded(tiny) === tiny).toBe(true)
  })
  it('multiplies by reciprocals where they exist', () => {
    expect(constantValue(folded(div(x, [2, 4])).node.inputs[1]!)?.toArray()).toEqual([0.5, 0.25])
    for (const divisor of [0, Infinity, 1e-40]) {
      const t = div(x, divisor)
      expect(folded(t) === t).toBe(true)
    }
    // Half precision would round twice.
    const half = placeholder({ shape: [2], dtype: 'float16' })
    expect(folded(div(half, 3)).node.op.name).toBe('Div')
    expect(folded(div(half, 4)).node.op.name).toBe('Mul')
  })
  it('joins pieces at once, and neighbouring constants into one', () => {
    const [c, d] = [constant([1]), constant([2])]
    const joined = folded(concat([c, concat([d, x], { axis: 0 }), c, d], { axis: 0 })).node
    expect(joined.inputs.map((t) => constantValue(t)?.toArray())).toEqual([[1, 2], undefined, [1, 2]])
  })
  it('still waits for what the folded nodes waited for', () => {
    const v = variable(0, { name: 'v' })
    const one = controlDependencies([v.assign(1)], () => constant(1))
    expect(folded(exp(one)).node.control.map((n) => n.name)).toEqual(['v/assign'])
  })
})
