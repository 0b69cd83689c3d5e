import { describe, expect, it } from 'vitest'
import type { Tensor } from '../graph/graph.ts'
import { add, mul, placeholder, tanh } from '../ops/index.ts'
import { regroup } from './regroup.ts'

const run = (...fetches: Tensor[]): readonly Tensor[] => regroup.run({ fetches, targets: [] }).fetches

describe('regroup', () => {
  const [a, b] = [placeholder({ shape: [8], name: 'a' }), placeholder({ shape: [8], name: 'b' })]
  const wide = placeholder({ shape: [8, 8], name: 'wide' })

  it('combines operands of one shape first, and the largest last', () => {
    const [t] = run(mul(mul(a, wide), b))
    expect(t!.node.inputs[1]).toBe(wide)
    expect(t!.node.inputs[0]!.node.inputs).toEqual([a, b])
  })
  it('leaves sums of one shape in their order', () => {
    const t = add(add(a, b), tanh(a))
    expect(run(t)[0] === t).toBe(true)
  })
  it('leaves parts alone that others read', () => {
    const part = add(a, wide)
    const t = add(part, b)
    expect(run(t, part)[0] === t).toBe(true)
  })
  it('has nothing left to do the second time', () => {
    const once = regroup.run({ fetches: [add(add(add(wide, a), wide), b)], targets: [] })
    expect(regroup.run(once) === once).toBe(true)
  })
})
