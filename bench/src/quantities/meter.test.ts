import { fill, mul, Session, variable } from '@shoal/core'
import { cpu } from '@shoal/kernels-cpu'
import { describe, expect, it } from 'vitest'
import { metered } from './meter.ts'

describe('a watched device', () => {
  it('tells kernels, the bytes that they are bound to, and what was held since it began', async () => {
    const { device, peakBytes, begin, launched } = metered(cpu())
    await using session = new Session({ devices: [device] })
    const x = variable(fill({ shape: [1024], value: 2 }), { name: 'x' })
    const y = variable(fill({ shape: [1024] }), { name: 'y' })
    const step = y.assign(mul(x, 3)).node
    await session.initialize(step)
    begin()
    const before = launched()
    await session.run(step)
    const after = launched()
    expect(after.kernels - before.kernels).toBe(1)
    expect(after.bytes - before.bytes).toBe(2 * 4096)
    expect(peakBytes()).toBe(2 * 4096)
    expect((await session.run(y)).at(7)).toBe(6)
  })
})
