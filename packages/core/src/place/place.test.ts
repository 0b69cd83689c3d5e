import { describe, expect, it } from 'vitest'
import {
  add,
  colocateWith,
  cond,
  constant,
  controlDependencies,
  device,
  exp,
  gradients,
  group,
  identity,
  matmul,
  mul,
  placeholder,
  PlacementError,
  reference,
  Session,
  square,
  sum,
  unique,
  ValueError,
  variable,
} from '../index.ts'
import type { Device, TraceEvent } from '../index.ts'
import { mergeDeviceNames, parseDeviceName } from '../graph/deviceName.ts'
import { toposort } from '../graph/graph.ts'
import { partition } from './partition.ts'
import { nameDevices, place } from './place.ts'

/** A reference device under another name, without some kernels or dtypes. */
function fake(type: string, without: { readonly op?: string; readonly dtype?: 'float64' } = {}): Device {
  const real = reference()
  return {
    type,
    caps: { ...real.caps, dtypes: new Set([...real.caps.dtypes].filter((d) => d !== without.dtype)) },
    alloc: (bytes) => real.alloc(bytes),
    free: (buffer) => real.free(buffer),
    write: (to, data) => real.write(to, data),
    read: (from, bytes) => real.read(from, bytes),
    copy: (bytes) => real.copy(bytes),
    move: (...args) => real.move(...args),
    fuse: (kernel) => real.fuse(kernel),
    supports: (op, signature) => op !== without.op && real.supports(op, signature),
    kernel: (op, signature) => real.kernel(op, signature),
    [Symbol.asyncDispose]: () => real[Symbol.asyncDispose](),
  }
}

const x = placeholder({ shape: ['n', 2], name: 'x' })
const feeds = {
  x: [
    [1, 2],
    [3, 4],
  ],
}

describe('device names', () => {
  it('are read whole and in part', () => {
    expect(parseDeviceName('/job:worker/task:1/device:cpu:0')).toEqual({
      job: 'worker',
      task: 1,
      type: 'cpu',
      index: 0,
    })
    expect(parseDeviceName('webgpu:1')).toEqual({ type: 'webgpu', index: 1 })
    expect(parseDeviceName('/job:ps')).toEqual({ job: 'ps' })
    expect(() => parseDeviceName('/jib:ps')).toThrow(ValueError)
  })
  it('are completed by the scope around them', () => {
    expect(mergeDeviceNames('/job:ps/task:3', 'cpu:1')).toBe('/job:ps/task:3/device:cpu:1')
    expect(mergeDeviceNames('cpu:1', 'webgpu')).toBe('/device:webgpu')
    expect(device('/job:ps', () => device('cpu', () => constant(1))).node.device).toBe('/job:ps/device:cpu')
  })
  it('keep an outer task only where the job is the same', () => {
    expect(mergeDeviceNames('/job:worker/task:3', '/job:ps')).toBe('/job:ps')
    expect(mergeDeviceNames('/job:worker/task:3', '/job:worker/device:cpu')).toBe(
      '/job:worker/task:3/device:cpu',
    )
    expect(mergeDeviceNames('/task:3', '/job:ps')).toBe('/job:ps/task:3')
  })
  it('come from another node where asked', () => {
    const there = device('cpu:1', () => constant(1))
    expect(colocateWith(there, () => constant(2)).node.device).toBe('/device:cpu:1')
  })
})

describe('placing', () => {
  it('moves a node that its device cannot run, unless placement is hard', async () => {
    const y = device('fast', () => matmul(x, [[1], [1]]))
    const soft = new Session({ devices: [fake('fast', { op: 'MatMul' }), reference()] })
    expect((await soft.run(y, feeds)).toArray()).toEqual([[3], [7]])
    const hard = new Session({ devices: [fake('fast', { op: 'MatMul' }), reference()], softPlacement: false })
    await expect(hard.run(y, feeds)).rejects.toThrow(PlacementError)
    await expect(hard.run(y, feeds)).rejects.toThrow(
      "MatMul 'matMul': asks for '/device:fast', which cannot run it on these dtypes, and softPlacement is false",
    )
  })
  it('knows dtypes', async () => {
    const session = new Session({ devices: [fake('fast', { dtype: 'float64' }), reference()] })
    expect((await session.run(exp(constant(0, 'float64')))).item()).toBe(1)
  })
  it('names the devices that there are', async () => {
    const y = device('/job:ps', () => add(x, 1))
    const session = new Session({ softPlacement: false })
    await expect(session.run(y, feeds)).rejects.toThrow(
      "asks for '/job:ps', and softPlacement is false; the session has /job:localhost/task:0/device:reference:0",
    )
  })
  it('names what no device can run, and what to do, also where there is one only and inside of bodies', async () => {
    const z = placeholder({ shape: [1], dtype: 'float64', name: 'z' })
    const y = exp(z)
    const wide = cond(
      placeholder({ shape: [], dtype: 'bool', name: 'yes' }),
      () => y,
      () => y,
    )
    const one = new Session({ devices: [fake('fast', { dtype: 'float64' })] })
    for (const [tensor, given] of [
      [y, { z: [0] }],
      [wide, { z: [0], yes: true }],
    ] as const) {
      const run = one.run(tensor, given)
      await expect(run).rejects.toThrow(PlacementError)
      await expect(run).rejects.toThrow(
        "Exp 'exp': no device of the session has float64: it has /job:localhost/task:0/device:fast:0; add one that can, such as cpu(), to its devices",
      )
    }
    const without = { op: 'MatMul' }
    const two = new Session({ devices: [fake('fast', without), fake('slow', without)] })
    await expect(two.run(matmul(x, [[1], [1]]), feeds)).rejects.toThrow(
      "MatMul 'matMul': no device of the session runs it on float32: it has /job:localhost/task:0/device:fast:0, /job:localhost/task:0/device:slow:0",
    )
  })
  it('puts a variable where everything that touches it can run, or says why that cannot be', async () => {
    const devices = () => [fake('gpu', { op: 'TensorScatter' }), fake('other')]
    const table = variable([[1], [2]], { name: 'table' })
    const added = table.scatterAdd([1, 1], [[1], [2]])
    const both = new Session({ devices: devices() })
    const set = table.assign([[3], [4]])
    const [, sum] = await both.run([
      set,
      controlDependencies([set], () => table.scatterAdd([1, 1], [[1], [2]])),
    ])
    expect(sum.toArray()).toEqual([[3], [7]])
    const session = new Session({ devices: devices() })
    await session.initialize(added)
    await expect(session.run(added)).rejects.toThrow(
      /changes 'table' on .*device:gpu:0, which cannot do that with int32, float32: cast the inputs/,
    )
  })
  it('keeps a variable and what touches it together', () => {
    const v = device('reference:1', () => variable([1, 2], { name: 'v' }).assignAdd([1, 1]))
    const devices = nameDevices([reference(), reference()])
    const elsewhere = controlDependencies([v], () => mul(v, 2))
    const placed = place(toposort({ fetches: [elsewhere], targets: [] }), devices, {
      soft: true,
      deviceOf: () => undefined,
    })
    expect(placed.get(v.node)).toBe(1)
  })
})

describe('a variable', () => {
  it('is read and assigned where it was made, whatever scope that is built in', () => {
    const v = device('reference:1', () => variable([1, 2], { name: 'v' }))
    const [read, written] = device('reference:0', () => [v.read(), v.assignAdd([1, 1])])
    expect([read!.node.device, written!.node.device]).toEqual(
      [v, v].map(({ resource }) => resource.initial!.node.device),
    )
    expect(v.read()).toBe(read)
  })
  it('lives on the device that it was made for, wherever its initial value comes from', async () => {
    const start = constant([1, 2])
    const v = device('reference:1', () => variable(start, { name: 'v' }))
    const session = new Session({ devices: [reference(), reference()] })
    await session.initialize(v)
    const devices: string[] = []
    const doubled = exp(v.assignAdd(start))
    await session.run(doubled, [], {
      onTrace: (events) =>
        devices.push(...events.filter((e) => e.op === 'AssignVariable').map((e) => e.device)),
    })
    expect(devices).toEqual(['/job:localhost/task:0/device:reference:1'])
    await session.close()
  })
})

describe('partitioning', () => {
  it('sends a tensor once to a device, however many readers it has there', () => {
    const h = device('reference:0', () => exp(x))
    const [a, b] = device('reference:1', () => [square(h), mul(h, 3)])
    const graph = { fetches: [a!, b!], targets: [] }
    const placed = place(toposort(graph), nameDevices([reference(), reference()]), {
      soft: true,
      deviceOf: () => undefined,
    })
    const parts = partition(graph, [x], placed, ['a', 'b'])
    const ops = parts.map((part) => toposort(part.graph).map((n) => n.op.name))
    expect(ops.flat().filter((name) => name === 'Send')).toHaveLength(1)
    expect(ops.flat().filter((name) => name === 'Recv')).toHaveLength(1)
  })

  it('answers the same on two devices as on one, back and forth, trained', async () => {
    const model = (split: boolean) => {
      const at = <T>(i: number, build: () => T): T => (split ? device(`reference:${i}`, build) : build())
      const w = at(0, () =>
        variable(
          [
            [0.1, 0.2],
            [0.3, 0.4],
          ],
          { name: 'w' },
        ),
      )
      const v = at(1, () =>
        variable(
          [
            [0.5, -0.1],
            [0.2, 0.3],
          ],
          { name: 'v' },
        ),
      )
      const h = at(0, () => exp(matmul(x, w)))
      const k = at(1, () => exp(matmul(h, v)))
      const loss = at(0, () => sum(square(matmul(k, w))))
      const [dw, dv] = gradients(loss, [w, v])
      return { loss, step: group(w.assignSub(mul(dw!, 1e-4)), v.assignSub(mul(dv!, 1e-4))), w, v }
    }
    const run = async (split: boolean) => {
      const { loss, step, w, v } = model(split)
      const session = new Session({ devices: split ? [reference(), reference()] : [reference()] })
      await session.initialize(loss)
      for (let i = 0; i < 5; i++) await session.run([loss, step], feeds)
      const answer = await session.run([loss, w, v], feeds)
      await session.close()
      return answer.map((a) => a.toArray())
    }
    expect(await run(true)).toEqual(await run(false))
  })

  it('keeps the order of effects across devices', async () => {
    const v = device('reference:0', () => variable(1, { name: 'v' }))
    const w = device('reference:1', () => variable(10, { name: 'w' }))
    const session = new Session({ devices: [reference(), reference()] })
    await session.initialize(v, w)
    const first = device('reference:0', () => v.assign(2))
    const second = controlDependencies([first], () => device('reference:1', () => w.assignAdd(5)))
    const third = controlDependencies([second], () =>
      device('reference:0', () => identity(mul(v.read(), 100))),
    )
    expect((await session.run(third)).item()).toBe(200)
    expect((await session.run(w)).item()).toBe(15)
    await session.close()
  })

  it('reads the same values on two devices as on one', async () => {
    const run = async (other: 'reference:0' | 'reference:1') => {
      const v = device('reference:0', () => variable(0, { name: 'v' }))
      const w = device(other, () => variable(0, { name: 'w' }))
      const session = new Session({ devices: [reference(), reference()] })
      await session.initialize(v, w)
      const a = device('reference:0', () => v.assignAdd(1))
      const [y, z] = device(other, () => [mul(a, x), w.assignAdd(1)])
      const read = device('reference:0', () => controlDependencies([z!], () => identity(v.read())))
      const answer = await session.run([y!, read], feeds)
      await session.close()
      return answer.map((value) => value.toArray())
    }
    expect(await run('reference:1')).toEqual(await run('reference:0'))
    expect((await run('reference:1'))[1]).toBe(0)
  })

  it('waits for what a constant was told to wait for, and runs it once', async () => {
    const v = device('reference:0', () => variable(1, { name: 'v' }))
    const session = new Session({ devices: [reference(), reference()] })
    await session.initialize(v)
    const ten = controlDependencies([v.assignAdd(1)], () => constant(10))
    expect((await session.run([ten, device('reference:1', () => mul(x, ten))], feeds))[0].item()).toBe(10)
    expect((await session.run(ten)).item()).toBe(10)
    expect((await session.run(v)).item()).toBe(3)
    await session.close()
  })

  it('ends the run everywhere when one part fails, and stays usable', async () => {
    const session = new Session({ devices: [reference(), reference()] })
    const bad = variable(1, { name: 'bad' })
    const h = device('reference:0', () => mul(bad, x))
    const y = device('reference:1', () => sum(h))
    await expect(session.run(y, feeds)).rejects.toThrow("variable 'bad' has no value yet")
    expect(
      (
        await session.run(
          device('reference:1', () => sum(exp(mul(x, 0)))),
          feeds,
        )
      ).item(),
    ).toBe(4)
    await session.close()
  })
})

describe('sizes that only a run can tell', () => {
  it('compile what follows when they are known', async () => {
    const session = new Session()
    const ids = placeholder({ shape: ['n'], dtype: 'int32', name: 'ids' })
    const [values, , counts] = unique(ids)
    const [total, doubled] = [sum(counts), mul(values, 2)]
    const run = (list: number[]) => session.run([doubled, total], { ids: list })
    expect((await run([3, 1, 3])).map((a) => a.toArray())).toEqual([[6, 2], 3])
    expect((await run([5, 5, 5, 5])).map((a) => a.toArray())).toEqual([[10], 4])
    await session.close()
  })
})

describe('variables', () => {
  it('live on the device that was asked for, so that nothing is sent to use them there', async () => {
    const y = device('reference:1', () => {
      const v = variable([1, 2], { name: 'v' })
      return mul(v.assignAdd([1, 1]), 2)
    })
    const session = new Session({ devices: [reference(), reference()] })
    await session.initialize(y)
    const ran: string[] = []
    const onTrace = (events: readonly TraceEvent[]): void => events.forEach((e) => ran.push(e.device))
    expect((await session.run(y, {}, { onTrace })).toArray()).toEqual([4, 6])
    expect(new Set(ran)).toEqual(new Set(['/job:localhost/task:0/device:reference:1']))
    await session.close()
  })
})
