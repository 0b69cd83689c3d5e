import { parseDeviceName, ValueError } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { DeviceModel } from './machine.ts'
import { checkMachine, linkBetween, uniformMachine } from './machine.ts'
import { measuredTimes } from './measuredTimes.ts'

const model = (name: string): DeviceModel => ({ name, flopsPerSecond: 1e9, bytesPerSecond: 1e9 })
const names = [
  '/job:worker/task:0/device:cpu:0',
  '/job:worker/task:0/device:webgpu:0',
  '/job:ps/task:0/device:cpu:0',
]
const [cpu, gpu, ps] = names.map(parseDeviceName)

describe('a machine', () => {
  it('has other links within a task than between tasks', () => {
    const between = { bytesPerSecond: 1e8, latencySeconds: 1e-3 }
    const machine = uniformMachine(names.map(model), between)
    expect(linkBetween(machine, cpu!, ps!)).toMatchObject(between)
    expect(linkBetween(machine, cpu!, gpu!)).toMatchObject({ bytesPerSecond: 5e9, latencySeconds: 1e-5 })
  })

  it('takes the first link that fits', () => {
    const [slow, fast] = [1e6, 1e9].map((bytesPerSecond) => ({ bytesPerSecond, latencySeconds: 0 }))
    const machine = {
      devices: names.map(model),
      links: [
        { ...slow!, to: '/job:ps' },
        { ...fast!, from: 'cpu' },
      ],
    }
    expect(linkBetween(machine, cpu!, ps!).bytesPerSecond).toBe(1e6)
    expect(linkBetween(machine, cpu!, gpu!).bytesPerSecond).toBe(1e9)
    expect(() => linkBetween(machine, gpu!, cpu!)).toThrow(
      'no link leads from /job:worker/task:0/device:webgpu:0 to /job:worker/task:0/device:cpu:0',
    )
  })

  it('is refused when it is none', () => {
    const check =
      (devices: readonly DeviceModel[], bytesPerSecond = 1) =>
      () =>
        checkMachine({ devices, links: [{ bytesPerSecond, latencySeconds: 0, to: '/job:ps' }] })
    expect(check([])).toThrow('at least one device')
    expect(check([model('/job:ps/task:0/device:cpu')])).toThrow('is no whole device name')
    expect(check([model(names[0]!), model(names[0]!)])).toThrow('two devices are named')
    expect(check([{ ...model(names[0]!), flopsPerSecond: 0 }])).toThrow(
      `flopsPerSecond of '${names[0]}' must be more than 0, got 0`,
    )
    expect(check([{ ...model(names[0]!), maxBytes: NaN }])).toThrow(ValueError)
    expect(check([model(names[0]!)], -1)).toThrow(
      'bytesPerSecond from any to /job:ps must be more than 0, got -1',
    )
  })
})

describe('measuredTimes', () => {
  it('are means over runs, of all rounds in a run', () => {
    const event = (node: string, durationMs: number, device = names[0]!) => ({
      node,
      op: 'Add',
      device,
      startMs: 0,
      durationMs,
      bytes: 4,
    })
    const times = measuredTimes([
      [event('a', 2), event('b', 1), event('b', 3)],
      [event('a', 4), event('a', 10, names[2])],
    ])
    expect(times.get(names[0]!)).toEqual(
      new Map([
        ['a', 0.003],
        ['b', 0.004],
      ]),
    )
    expect(times.get(names[2]!)).toEqual(new Map([['a', 0.01]]))
    expect(measuredTimes([]).size).toBe(0)
  })
})
