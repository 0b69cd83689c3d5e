import { describe, expect, it } from 'vitest'
import { cond, identity, mul, placeholder, variable } from '../ops/index.ts'
import { bodiesOf } from './effects.ts'
import { toposort } from './graph.ts'
import { device } from './scope.ts'
import type { DeviceFunction } from './scope.ts'

const x = placeholder({ shape: [2], name: 'x' })

describe('a device function', () => {
  const byName: DeviceFunction = (what) => (what.name.includes('left') ? 'cpu:0' : 'cpu:1')

  it('is asked for every node, and completed by what inner scopes say', () => {
    const asked: string[] = []
    const ask: DeviceFunction = (what, inner) => {
      asked.push(`${what.name} ${inner}`)
      return '/job:worker/device:cpu:2'
    }
    const [a, b] = device(ask, () => [
      identity(x, { name: 'a' }),
      device('/task:1', () => device('webgpu', () => identity(x, { name: 'b' }))),
    ])
    expect(asked).toEqual(['a ', 'b /task:1/device:webgpu'])
    expect(a!.node.device).toBe('/job:worker/device:cpu:2')
    expect(b!.node.device).toBe('/job:worker/task:1/device:webgpu')
  })
  it('completes what an inner function answers, and is completed by what an outer scope says', () => {
    const [left, right] = device('/job:worker/task:1', () =>
      device(byName, () => [identity(x, { name: 'left' }), identity(x, { name: 'right' })]),
    )
    expect(left!.node.device).toBe('/job:worker/task:1/device:cpu:0')
    expect(right!.node.device).toBe('/job:worker/task:1/device:cpu:1')
    const nested = device(
      () => '/job:ps/device:cpu:7',
      () => device(byName, () => identity(x, { name: 'left' })),
    )
    expect(nested.node.device).toBe('/job:ps/device:cpu:0')
  })
  it('decides where a variable lives, whoever makes its initial value', () => {
    const [left, right] = device(byName, () => {
      const made = identity(x, { name: 'right' })
      return [variable(made, { name: 'left' }), variable(made, { name: 'other' })]
    })
    expect(left!.resource.initial!.node.device).toBe('/device:cpu:0')
    expect(right!.resource.initial!.node.device).toBe('/device:cpu:1')
    expect(right!.resource.initial!.node.name).toBe('right')
  })
  it('does not reach into bodies, and is asked for what they read outside', () => {
    const v = variable(1, { name: 'left' })
    const chosen = device(byName, () =>
      cond(
        true,
        () => v.read(),
        () => mul(v, 2),
      ),
    )
    expect(chosen.node.device).toBe('/device:cpu:1')
    const read = chosen.node.inputs.find((t) => t.name === 'left/read')
    expect(read?.node.device).toBe('/device:cpu:0')
    expect(
      bodiesOf(chosen.node)
        .flatMap((body) => toposort(body))
        .map((n) => n.device),
    ).not.toContain('/device:cpu:1')
  })
  it('may not answer what is no device name', () => {
    expect(() =>
      device(
        () => '/jib:1',
        () => identity(x),
      ),
    ).toThrow("'/jib:1' is not a device name")
  })
})
