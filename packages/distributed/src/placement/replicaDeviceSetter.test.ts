import {
  add,
  colocateWith,
  cond,
  constant,
  device,
  gradients,
  less,
  matmul,
  mul,
  placeholder,
  ShapeError,
  sum,
  toposort,
  ValueError,
  variable,
  whileLoop,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { byBytes } from './psStrategy.ts'
import { replicaDeviceSetter } from './replicaDeviceSetter.ts'
import type { ReplicaDeviceOptions } from './replicaDeviceSetter.ts'

const homeOf = (v: ReturnType<typeof variable>): string => v.resource.initial!.node.device
/** The homes of variables of some sizes, declared one after the other. */
const homes = (options: ReplicaDeviceOptions, sizes: readonly number[]): string[] =>
  device(replicaDeviceSetter(options), () =>
    sizes.map((size, i) => homeOf(variable(new Array<number>(size).fill(0), { name: `v${i}` }))),
  )
const servers = (...tasks: number[]): string[] => tasks.map((task) => `/job:ps/task:${task}`)

describe('replicaDeviceSetter', () => {
  it('puts variables on parameter servers, with what reads and assigns them, and the rest on the worker', () => {
    const x = placeholder({ shape: [2, 3], name: 'x' })
    const setter = replicaDeviceSetter({ psTasks: 2, workerDevice: '/job:worker/task:1' })
    const { w, b, y, step } = device(setter, () => {
      const w = variable(constant([[1], [2], [3]]), { name: 'w' })
      const b = variable([0], { name: 'b' })
      const y = add(matmul(x, w), b)
      const [dw] = gradients(sum(y), [w])
      return { w, b, y, step: w.assignSub(mul(dw!, 0.1)) }
    })
    expect([homeOf(w), homeOf(b)]).toEqual(servers(0, 1))
    for (const node of toposort({ fetches: [y, step], targets: [] })) {
      if (node === x.node) continue
      const variable = /^(w|b)\//.exec(node.name)?.[1]
      const wanted = { w: '/job:ps/task:0', b: '/job:ps/task:1' }[variable ?? ''] ?? '/job:worker/task:1'
      expect(`${node.name} ${node.device}`).toBe(`${node.name} ${wanted}`)
    }
  })

  it('deals out in turn, by bytes or by name', () => {
    expect(homes({ psTasks: 3 }, [1, 9, 1, 1])).toEqual(servers(0, 1, 2, 0))
    expect(homes({ psTasks: 2, strategy: 'byBytes' }, [10, 4, 4, 4, 4])).toEqual(servers(0, 1, 1, 1, 0))
    const byName = homes({ psTasks: 4, strategy: 'byName' }, new Array<number>(64).fill(1))
    expect(homes({ psTasks: 4, strategy: 'byName' }, new Array<number>(64).fill(2))).toEqual(byName)
    const counts = Map.groupBy(byName, (home) => home)
    expect(counts.size).toBe(4)
    for (const same of counts.values()) expect(same.length).toBeLessThan(32)
  })

  it('takes the tasks of a cluster as they are numbered, and a strategy of the caller', () => {
    const cluster = { params: { 2: 'p2:1', 5: 'p5:1' }, worker: ['w:1'] }
    const options = { cluster, psDevice: '/job:params/device:cpu:0' }
    expect(homes(options, [1, 1, 1])).toEqual(
      [2, 5, 2].map((task) => `/job:params/task:${task}/device:cpu:0`),
    )
    const counted = byBytes(2, ({ name }) => (name === 'v0' ? 10 : 1))
    expect(homes({ psTasks: 2, strategy: counted }, [1, 9, 9])).toEqual(servers(0, 1, 1))
    expect(() => homes({ psTasks: 2, strategy: () => 2 }, [1])).toThrow(
      "a number from 0 to 1 for variable 'v0'",
    )
  })

  it('leaves the last word to inner scopes', () => {
    const setter = replicaDeviceSetter({ psTasks: 2, workerDevice: '/job:worker/task:1' })
    const [pinned, elsewhere, free, onCpu] = device(setter, () => [
      device('/job:ps/task:1', () => variable(0, { name: 'pinned' })),
      device('/job:chief', () => variable(0, { name: 'elsewhere' })),
      variable(0, { name: 'free' }),
      device('cpu:0', () => variable(0, { name: 'onCpu' })),
    ])
    expect(homeOf(pinned!)).toBe('/job:ps/task:1')
    expect(homeOf(elsewhere!)).toBe('/job:chief')
    // Neither of the two above took a turn.
    expect(homeOf(free!)).toBe('/job:ps/task:0')
    expect(homeOf(onCpu!)).toBe('/job:ps/task:1/device:cpu:0')
    const node = device(setter, () => device('webgpu', () => mul(2, 3))).node
    expect(node.device).toBe('/job:worker/task:1/device:webgpu')
    const slot = device(setter, () =>
      colocateWith(free!.resource.initial!, () => variable(0, { name: 'slot' })),
    )
    expect(homeOf(slot)).toBe('/job:ps/task:0')
  })

  it('keeps a loop that assigns a variable with it', () => {
    const [loop, branch] = device(replicaDeviceSetter({ psTasks: 1 }), () => {
      const v = variable(0, { name: 'v' })
      const [i] = whileLoop(
        (n) => less(n, 3),
        (n) => [add(n, v.assignAdd(1))],
        [constant(0)],
      )
      return [
        i!,
        cond(
          true,
          () => v.read(),
          () => constant(1),
        ),
      ]
    })
    expect(loop!.node.device).toBe('/job:ps/task:0')
    // A branch that only reads is handed the value.
    expect(branch!.node.device).toBe('/job:worker')
    expect(branch!.node.inputs.map((t) => t.node.device)).toContain('/job:ps/task:0')
  })

  it('leaves everything to the placer where there are no parameter servers', () => {
    expect(homes({ psTasks: 0 }, [1])).toEqual([''])
    expect(homes({ cluster: { worker: ['w:1'] } }, [1])).toEqual([''])
  })

  it('refuses options that are none', () => {
    expect(() => replicaDeviceSetter({})).toThrow('say either psTasks or cluster')
    expect(() => replicaDeviceSetter({ psTasks: 1, cluster: { ps: ['p:1'] } })).toThrow(ValueError)
    expect(() => replicaDeviceSetter({ psTasks: -1 })).toThrow('psTasks must be a whole number from 0')
    expect(() => replicaDeviceSetter({ psTasks: 1, strategy: 'best' as never })).toThrow(
      "'byName' or a function",
    )
    expect(() => replicaDeviceSetter({ psTasks: 1, psDevice: 'cpu' })).toThrow('names no job')
    expect(() => replicaDeviceSetter({ psTasks: 1, workerDevice: 'a b' })).toThrow(
      "'a b' is not a device name",
    )
    const unsized = {
      kind: 'variable',
      name: 'v',
      type: { dtype: 'float32', shape: ['n'] },
      trainable: true,
    } as const
    expect(() => byBytes(2)(unsized)).toThrow(ShapeError)
  })
})
