import { describe, expect, it } from 'vitest'
import type { BoundLaunch, Device } from '../index.ts'
import {
  add,
  constant,
  exp,
  hostFunction,
  inspectProgram,
  mul,
  placeholder,
  reference,
  Session,
  tanh,
  variable,
} from '../index.ts'

/** A device that remembers how many launches it was asked to join. */
function recording(): { readonly device: Device; readonly joined: number[] } {
  const joined: number[] = []
  const device: Device = Object.assign(reference(), {
    sequence(launches: readonly BoundLaunch[]) {
      joined.push(launches.length)
      return () => launches.forEach(({ kernel, args }) => kernel.launch(args))
    },
  })
  return { device, joined }
}

describe('a program that was compiled before variables had values', () => {
  const x = placeholder({ shape: [4], name: 'x' })
  const feeds = { x: [1, 2, 3, 4] }
  const build = () => {
    const [v, w] = ['v', 'w'].map((name) => variable(constant([0, 0, 0, 0], 'float32'), { name }))
    // A kernel before and after each assignment.
    const first = v!.assign(exp(x))
    return [first, w!.assign(tanh(add(first, 1))), mul(x, 2)]
  }

  it('joins all its launches after the first run', async () => {
    const { device, joined } = recording()
    const fetches = build()
    await using session = new Session({ devices: [device] })
    const first = await session.run(fetches, feeds)
    const launches = joined.reduce((sum, n) => sum + n, 0)
    expect(joined.length).toBeGreaterThan(1)
    joined.length = 0
    const second = await session.run(fetches, feeds)
    expect(joined).toEqual([launches])
    await session.run(fetches, feeds)
    expect(joined).toEqual([launches])
    expect(second.map((a) => a.toArray())).toEqual(first.map((a) => a.toArray()))
  })

  it('says that variables have values when it has run to its end, and no sooner', async () => {
    let failures = 1
    const [given] = hostFunction(
      [x],
      ([value]) => {
        if (failures-- > 0) throw new Error('not yet')
        return [value!]
      },
      { types: [x.type] },
    )
    const v = variable(constant([0, 0, 0, 0], 'float32'), { name: 'v' })
    const assigned = v.assign(exp(given!))
    await using session = new Session()
    await expect(session.run(assigned, feeds)).rejects.toThrow('not yet')
    expect(await session.isInitialized(v)).toBe(false)
    await session.run(assigned, feeds)
    expect(await session.isInitialized(v)).toBe(true)
    expect((await session.run(v)).toArray()).toEqual((await session.run(exp(x), feeds)).toArray())
  })

  it('shows no steps that nothing is left to do in', async () => {
    const fetches = build()
    await using session = new Session()
    const stepsOf = async () => inspectProgram((await session.programs(fetches, feeds))[0]!).steps
    const before = await stepsOf()
    await session.run(fetches, feeds)
    const after = await stepsOf()
    expect(after.every(({ launches }) => launches > 0)).toBe(true)
    expect(after.reduce((n, s) => n + s.launches, 0)).toBe(before.reduce((n, s) => n + s.launches, 0))
  })
})
