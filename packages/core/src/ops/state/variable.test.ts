import { describe, expect, it } from 'vitest'
import { cond, constant, controlDependencies, mul, Session, variable } from '../../index.ts'

describe('variables', () => {
  it('keep the value that the very node which changes them reads', async () => {
    const rows = variable([[1], [2]], { name: 'rows' })
    const v = variable([1, 2], { name: 'v' })
    const old = v.read()
    const y = cond(
      constant(true),
      () => controlDependencies([v.assignAdd([10, 10])], () => mul(old, 1.5)),
      () => old,
    )
    const session = new Session()
    await session.initialize(rows, v)
    expect(session.runSync(rows.scatterUpdate([1, 0], rows.read())).toArray()).toEqual([[2], [1]])
    expect(session.runSync(y).toArray()).toEqual([1.5, 3])
    expect(session.runSync(v.read()).toArray()).toEqual([11, 12])
  })
})
