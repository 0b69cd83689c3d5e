import { fill, mul, Session, variable } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { describe, expect, it } from 'vitest'
import { metered } from './meter.ts'

describe('a watched device', () => {
  it('tells what was held since it began, initial values not counted', async () => {
    const { device, peakBytes, begin } = metered(cpu())
    await using session = new Session({ devices: [device] })
    const x = variable(fill({ shape: [1024], value: 2 }), { name: 'x' })
    const y = variable(fill({ shape: [1024] }), { name: 'y' })
    const step = y.assign(mul(x, 3)).node
    await session.initialize(step)
    begin()
    await session.run(step)
    expect(peakBytes()).toBe(2 * 4096)
    expect((await session.run(y)).at(7)).toBe(6)
  })
})
