import { type Device, matmul, ndarray, placeholder, reference, Session, variable } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { SimulatedDevice, type KernelWork } from './device.ts'
import type { NodeSpec } from './node.ts'
import { Scenario } from './scenario.ts'

const nodeWith = (spec: Omit<NodeSpec, 'name'> = {}) => {
  const scenario = new Scenario({ nodes: [{ name: 'a', ...spec }] })
  return { scenario, process: scenario.node('a').process }
}
const identity = ndarray([
  [1, 0],
  [0, 1],
])
/** A microsecond for each operation. */
const kernelMs = ({ flops }: KernelWork): number => flops / 1000

describe('a simulated device', () => {
  it('computes what the device underneath does, and lets a read wait for what was launched before', async () => {
    const { scenario, process } = nodeWith({ speed: 2 })
    const device = new SimulatedDevice(process, { kernelMs })
    await using session = new Session({ devices: [device], clock: process.clock })
    const x = placeholder({ shape: [2, 2], name: 'x' })
    const [once, twice] = [
      matmul(x, [
        [1, 2],
        [3, 4],
      ]),
      matmul(matmul(x, x), x),
    ]
    const first = await scenario.settle(session.run(once, { x: identity }))
    expect(first.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
    // 2 · 2³ operations, at twice the speed.
    expect(scenario.clock.now()).toBeCloseTo(0.008, 9)
    await scenario.settle(
      Promise.all([session.run(once, { x: identity }), session.run(twice, { x: identity })]),
    )
    expect(scenario.clock.now()).toBeCloseTo(0.008 + 0.024, 9)
    expect(scenario.events.map((event) => event.kind === 'compute' && event.ms)).toEqual([
      0.008, 0.008, 0.008, 0.008,
    ])
  })

  it('lets runs that fetch nothing queue up, and the next one wait until they are done', async () => {
    const { scenario, process } = nodeWith()
    const device = new SimulatedDevice(process, { kernelMs: () => 5 })
    await using session = new Session({ devices: [device], clock: process.clock })
    const v = variable(identity, { name: 'v' })
    await scenario.settle(session.initialize(v))
    const began = scenario.clock.now()
    const step = v.assign(matmul(v, v)).node
    await scenario.settle(session.run(step))
    expect(scenario.clock.now()).toBe(began)
    await scenario.settle(session.run(step))
    expect(scenario.clock.now() - began).toBe(5)
    await scenario.settle(session.run(v))
    expect(scenario.clock.now() - began).toBe(10)
  })

  it('takes no time for what the device underneath waits for', async () => {
    const { scenario, process } = nodeWith()
    const inner = reference()
    /** As one that compiles: what it makes is there some turns of the platform later. */
    const slow: Device = Object.assign(Object.create(inner) as Device, {
      kernel: async (...args: Parameters<Device['kernel']>) => {
        for (let turn = 0; turn < 5; turn++)
          await new Promise<void>((resolve) => {
            const { port1, port2 } = new MessageChannel()
            port1.onmessage = () => {
              port1.close()
              resolve()
            }
            port2.postMessage(undefined)
          })
        return inner.kernel(...args)
      },
    })
    const device = new SimulatedDevice(process, { kernelMs: () => 3, device: slow })
    await using session = new Session({ devices: [device], clock: process.clock })
    // Something that happens all the time.
    const tick = (): void => void process.clock.after(1, tick)
    tick()
    const x = placeholder({ shape: [2, 1], name: 'x' })
    const product = await scenario.settle(session.run(matmul(identity, x), { x: [[7], [8]] }))
    expect(product.toArray()).toEqual([[7], [8]])
    expect(scenario.clock.now()).toBe(3)
  })

  it('says what its kernels are: their nodes, their ops and their operations', async () => {
    const { scenario, process } = nodeWith()
    const asked: KernelWork[] = []
    const device = new SimulatedDevice(process, {
      kernelMs: (work) => {
        asked.push(work)
        return 0
      },
    })
    await using session = new Session({ devices: [device], clock: process.clock })
    const x = placeholder({ shape: [4, 2], name: 'x' })
    await scenario.settle(
      session.run(matmul(x, identity, { name: 'product' }), {
        x: ndarray(new Float32Array(8)).reshape([4, 2]),
      }),
    )
    expect(asked).toEqual([{ name: 'product', op: 'MatMul', flops: 2 * 4 * 2 * 2 }])
    expect(scenario.events).toEqual([])
  })

  it('refuses options that cannot be', () => {
    const { process } = nodeWith()
    expect(() => new SimulatedDevice(process, { kernelMs: 3 as never })).toThrow('kernelMs must be')
  })
})
