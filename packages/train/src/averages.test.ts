import {
  cond,
  constant,
  controlDependencies,
  GraphError,
  mul,
  NotFoundError,
  Session,
  variable,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { MovingAverages } from './averages.ts'

describe('moving averages', () => {
  it('start at the initial value and follow slowly, after the assignment that they wait for', async () => {
    await using session = new Session()
    const v = variable([1, 10], { name: 'v' })
    const averages = new MovingAverages({ decay: 0.75 })
    const change = v.assignAdd([4, 0])
    const step = controlDependencies([change], () => averages.apply([v]))
    await session.initialize(step)
    await session.run(step)
    expect((await session.run(averages.average(v))).toArray()).toEqual([2, 10])
    await session.run(step)
    expect((await session.run([v, averages.average(v)])).map((x) => x.toArray())).toEqual([
      [9, 10],
      [3.75, 10],
    ])
    expect(averages.variables.map((a) => a.name)).toEqual(['v/average'])
  })

  it('follow faster in the first steps', async () => {
    await using session = new Session()
    const steps = variable(constant(0, 'int32'), { name: 'steps', trainable: false })
    const v = variable(0, { name: 'v' })
    const averages = new MovingAverages({ decay: 0.9999, steps })
    const step = averages.apply([v])
    await session.initialize(step)
    await session.run(v.assign(10))
    await session.run(step)
    // The decay at step 0 is 1/10.
    expect((await session.run(averages.average(v))).item()).toBeCloseTo(9, 6)
  })

  it('take the place of variables in a graph, and change nothing else', async () => {
    await using session = new Session()
    const v = variable(2, { name: 'v' })
    const other = variable(5, { name: 'other' })
    const averages = new MovingAverages({ decay: 0.5 })
    const step = averages.apply([v])
    const y = mul(v, other)
    const [swapped] = averages.swap([y])
    await session.initialize(step, y)
    await session.run(v.assign(4))
    await session.run(step)
    expect((await session.run([y, swapped, v])).map((x) => x.item())).toEqual([20, 15, 4])
  })

  it('say what they cannot do', () => {
    const v = variable(2, { name: 'v' })
    const averages = new MovingAverages({ decay: 0.5 })
    expect(() => averages.average(v)).toThrow(NotFoundError)
    averages.apply([v])
    const y = cond(
      true,
      () => mul(v.assign(3), 2),
      () => constant(0),
    )
    expect(() => averages.swap([y])).toThrow(GraphError)
  })
})
