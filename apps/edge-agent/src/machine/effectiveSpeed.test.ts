import { describe, expect, it } from 'vitest'
import { effectiveSpeed } from './effectiveSpeed.ts'
import type { Inventory } from './inventory.ts'

const node: Inventory = {
  platform: 'linux',
  arch: 'arm64',
  nodeVersion: '26.10.0',
  cores: 4,
  memoryBytes: 4e9,
  freeMemoryBytes: 3e9,
  freeDiskBytes: 1e10,
  devices: [{ type: 'cpu', model: 'a processor' }],
  speed: { gflops: 10, gigabytesPerSecond: 3 },
  load: 0,
  links: {},
}

describe('the effective speed', () => {
  it('is that of all cores while nothing else happens', () => {
    expect(effectiveSpeed(node)).toBe(40)
  })

  it('is less what other programs take, down to the half that a fair system leaves', () => {
    expect(effectiveSpeed({ ...node, load: 0.25 })).toBe(30)
    expect(effectiveSpeed({ ...node, load: 0.75 })).toBe(20)
    expect(effectiveSpeed({ ...node, load: 1 })).toBe(20)
  })

  it('does not count what the scheduler itself gave to the node', () => {
    expect(effectiveSpeed({ ...node, load: 0.5 }, 2)).toBe(40)
    expect(effectiveSpeed({ ...node, load: 0.75 }, 2)).toBe(30)
    expect(effectiveSpeed({ ...node, load: 0.1 }, 4)).toBe(40)
  })

  it('shrinks with the clock of a throttled processor, and by half where nobody tells how much', () => {
    expect(effectiveSpeed({ ...node, heat: { celsius: 60, throttled: false, clock: 0.8 } })).toBe(40)
    expect(effectiveSpeed({ ...node, heat: { celsius: 85, throttled: true, clock: 0.8 } })).toBe(32)
    expect(effectiveSpeed({ ...node, heat: { celsius: 85, throttled: true, clock: 1 } })).toBe(20)
    expect(effectiveSpeed({ ...node, heat: { celsius: 85, throttled: true, clock: 0 } })).toBe(20)
    expect(effectiveSpeed({ ...node, heat: { celsius: 85, throttled: true } })).toBe(20)
  })

  it('is that of a slow node until it is measured', () => {
    const { speed: _, ...unmeasured } = node
    expect(effectiveSpeed(unmeasured)).toBe(8)
  })
})
