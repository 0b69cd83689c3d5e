import {
  add,
  controlDependencies,
  device,
  fill,
  gradients,
  matmul,
  mul,
  type Node,
  placeholder,
  PlacementError,
  reference,
  Session,
  ShapeError,
  sum,
  type Tensor,
  type TraceEvent,
  transpose,
  variable,
} from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { uniformMachine, type DeviceModel, type Machine } from './machine.ts'
import { measuredTimes } from './measuredTimes.ts'
import { placeByCost } from './placeByCost.ts'

const [first, second] = ['/job:worker/task:0/device:cpu:0', '/job:worker/task:1/device:cpu:0'] as const
const model = (name: string, change: Partial<DeviceModel> = {}): DeviceModel => ({
  name,
  flopsPerSecond: 1e9,
  bytesPerSecond: 1e12,
  secondsPerNode: 0,
  ...change,
})
const fastLink = { bytesPerSecond: 1e9, latencySeconds: 0 }
const pair = (link = fastLink, ...changes: Partial<DeviceModel>[]): Machine =>
  uniformMachine([model(first, changes[0]), model(second, changes[1])], link)

const n = 100
/** Seconds that one product of two matrices takes on a device of 1 GFLOP/s, and its bytes. */
const product = (2 * n ** 3) / 1e9
const bytes = 4 * n * n
const x = placeholder({ shape: [n, n], name: 'x' })
const square = (name: string) => variable(fill({ shape: [n, n] }), { name })
const graphOf = (...fetches: Tensor[]) => ({ fetches, targets: [] })

describe('placeByCost', () => {
  it('runs independent branches side by side where the link is fast', () => {
    const branch = (): Tensor => matmul(matmul(x, x), x)
    const [a, b] = [branch(), branch()]
    const placement = placeByCost(graphOf(a, b), pair())
    expect(placement.makespanSeconds).toBeCloseTo(2 * product, 9)
    expect(placement.devices.get(a.node)).not.toBe(placement.devices.get(b.node))
    for (const end of [a, b])
      expect(placement.devices.get(end.node.inputs[0]!.node)).toBe(placement.devices.get(end.node))
    expect(placement.transfers).toEqual([])
  })

  it('keeps everything on one device where sending costs more than it saves', () => {
    const root = matmul(x, x)
    const graph = graphOf(add(matmul(root, x), matmul(x, root)))
    const slow = placeByCost(graph, pair({ bytesPerSecond: 1e6, latencySeconds: 0.01 }))
    expect(new Set(slow.devices.values())).toEqual(new Set([first]))
    expect(slow.makespanSeconds).toBeCloseTo(3 * product + (n * n) / 1e9, 9)
    const fast = placeByCost(graph, pair())
    // One of the two products in the middle goes to the other device, which is done last: the other product comes to it meanwhile.
    expect(fast.makespanSeconds).toBeCloseTo(2 * product + bytes / 1e9 + (n * n) / 1e9, 9)
    expect(fast.transfers.map((t) => [t.from, t.to, t.bytes])).toEqual([
      [first, second, bytes],
      [first, second, bytes],
    ])
  })

  it('gives the heavy work to the fast device, and knows what that cannot run', () => {
    const graph = graphOf(sum(matmul(x, x)))
    const fast = { flopsPerSecond: 1e11 }
    expect(new Set(placeByCost(graph, pair(fastLink, {}, fast)).devices.values())).toEqual(new Set([second]))
    const canRun = (node: Node): boolean => node.op.name !== 'MatMul'
    const without = placeByCost(graph, pair(fastLink, {}, { ...fast, canRun }))
    expect(without.devices.get(graph.fetches[0]!.node.inputs[0]!.node)).toBe(first)
  })

  it('keeps nodes where they ask to be, and variables with what touches them', () => {
    const v = device('/job:worker/task:1', () => square('asked'))
    const y = matmul(x, v)
    const update = v.assignSub(y)
    const pinned = device('/job:worker/task:0', () => mul(y, 2))
    const { devices } = placeByCost(graphOf(update, pinned), pair({ bytesPerSecond: 1e6, latencySeconds: 1 }))
    expect(devices.get(update.node)).toBe(second)
    expect(devices.get(y.node)).toBe(second)
    expect(devices.get(pinned.node)).toBe(first)
    const free = square('free')
    const homeOf = () => '/job:worker/task:1'
    expect(placeByCost(graphOf(free.assign(x)), pair(), { homeOf }).nodes[0]!.device).toBe(second)
  })

  it('keeps together what is colocated', () => {
    const [a, b] = [matmul(x, x), matmul(x, transpose(x))]
    const { devices, makespanSeconds } = placeByCost(graphOf(a, b), pair(), {
      colocations: [[a.node, b.node]],
    })
    expect(devices.get(a.node)).toBe(devices.get(b.node))
    expect(makespanSeconds).toBeCloseTo(2 * product, 6)
  })

  it('goes there and back where a node reads from elsewhere what its own group made', () => {
    const there = matmul(x, x)
    const elsewhere = device('/job:worker/task:1', () => matmul(there, x))
    const back = device('/job:worker/task:0', () => matmul(elsewhere, x))
    const { devices, transfers, makespanSeconds } = placeByCost(graphOf(back), pair(), {
      colocations: [[there.node, back.node]],
    })
    expect(devices.get(there.node)).toBe(first)
    expect(transfers.map(({ from, to }) => [from, to])).toEqual([
      [first, second],
      [second, first],
    ])
    expect(makespanSeconds).toBeCloseTo(3 * product + (2 * bytes) / 1e9, 9)
  })

  it('puts the layers of a model that is too large for one device onto two', () => {
    const weights = ['w0', 'w1', 'w2', 'w3'].map(square)
    let h: Tensor = x
    const layers = weights.map((w) => (h = matmul(h, w)))
    // Two variables and two products each, and what comes from the other.
    const memory = { maxBytes: 5 * bytes }
    const { devices, transfers, makespanSeconds } = placeByCost(graphOf(h), pair(fastLink, memory, memory))
    expect(layers.map((layer) => devices.get(layer.node))).toEqual([first, first, second, second])
    weights.forEach((_, i) =>
      expect(devices.get(layers[i]!.node.inputs[1]!.node)).toBe(devices.get(layers[i]!.node)),
    )
    expect(transfers.map(({ tensor }) => tensor)).toEqual([layers[1]])
    expect(makespanSeconds).toBeCloseTo(4 * product + bytes / 1e9, 9)
    const small = { maxBytes: 3 * bytes }
    expect(() => placeByCost(graphOf(h), pair(fastLink, small, small))).toThrow(PlacementError)
    expect(() => placeByCost(graphOf(h), pair(fastLink, small, small))).toThrow(
      'no device has the memory for it',
    )
  })

  it('sends a gradient to its variable, not the variable to the gradient', () => {
    const w = device('/job:worker/task:1', () => square('weights'))
    const y = matmul(x, w)
    const [dw] = gradients(sum(y), [w])
    const { transfers, devices } = placeByCost(graphOf(w.assignSub(dw!)), pair())
    const update = [...devices].find(([node]) => node.op.name === 'AssignVariable')!
    expect(update[1]).toBe(second)
    expect(transfers).toEqual([])
  })

  it('counts what was measured for more than what the model says', () => {
    const a = matmul(x, x, { name: 'a' })
    const run = (seconds: number, on: string): readonly TraceEvent[] => [
      { node: 'a', op: 'MatMul', device: on, startMs: 0, durationMs: 1000 * seconds, bytes },
    ]
    const measured = measuredTimes([[...run(5, first), ...run(3, second)]])
    expect(placeByCost(graphOf(a), pair(), { measured })).toMatchObject({ makespanSeconds: 3 })
    // Not measured on the second, which is twice as fast: half of what the first took.
    const halved = placeByCost(graphOf(a), pair(fastLink, {}, { flopsPerSecond: 2e9 }), {
      measured: measuredTimes([run(5, first)]),
    })
    expect(halved.makespanSeconds).toBeCloseTo(2.5, 9)
    expect(halved.devices.get(a.node)).toBe(second)
  })

  it('takes the times of a real run', async () => {
    const session = new Session({ devices: [reference()], fusion: false })
    const y = sum(matmul(x, x, { name: 'real' }))
    const runs: (readonly TraceEvent[])[] = []
    await session.run(
      y,
      { x: new Array(n).fill(new Array(n).fill(1)) as number[][] },
      { onTrace: (events) => runs.push(events) },
    )
    await session.close()
    const measured = measuredTimes(runs)
    const [name] = measured.keys()
    const machine = uniformMachine([model(name!)], fastLink)
    const { nodes } = placeByCost(graphOf(y), machine, { measured })
    const planned = nodes.find(({ node }) => node.name === 'real')!
    expect(planned.finishSeconds - planned.startSeconds).toBeCloseTo(measured.get(name!)!.get('real')!, 12)
  })

  it('waits for control inputs across devices', () => {
    const before = device('/job:worker/task:0', () => matmul(x, x))
    const after = device('/job:worker/task:1', () => controlDependencies([before], () => matmul(x, x)))
    const { transfers, makespanSeconds } = placeByCost(
      graphOf(after),
      pair({ ...fastLink, latencySeconds: 0.25 }),
    )
    expect(makespanSeconds).toBeCloseTo(2 * product + 0.25, 9)
    expect(transfers).toHaveLength(1)
    expect(transfers[0]).not.toHaveProperty('tensor')
  })

  it('needs the sizes that names stand for', () => {
    const rows = placeholder({ shape: ['batch', n], name: 'rows' })
    const y = matmul(rows, x)
    expect(placeByCost(graphOf(y), pair(), { sizes: { batch: n } }).makespanSeconds).toBeCloseTo(product, 9)
    expect(() => placeByCost(graphOf(y), pair())).toThrow(ShapeError)
  })

  it('names the node that can be nowhere', () => {
    const v = device('/job:worker/task:1', () => square('there'))
    const elsewhere = { homeOf: () => '/job:worker/task:0' }
    expect(() => placeByCost(graphOf(v.assign(x)), pair(), elsewhere)).toThrow(
      "asks for '/job:worker/task:1'; it can run on /job:worker/task:0",
    )
    const lost = device('/job:ps', () => mul(x, 2, { name: 'lost' }))
    expect(() => placeByCost(graphOf(lost), pair())).toThrow("Mul 'lost': asks for '/job:ps'")
    const canRun = (): boolean => false
    expect(() => placeByCost(graphOf(mul(x, 2)), pair(fastLink, { canRun }, { canRun }))).toThrow(
      'can run it',
    )
    expect(() => placeByCost(graphOf(v.assign(x)), pair(), { homeOf: () => '/job:ps' })).toThrow(
      "what it touches is at '/job:ps'",
    )
    const [a, b] = [
      device('/job:worker/task:0', () => mul(x, 2)),
      device('/job:worker/task:1', () => mul(x, 3)),
    ]
    expect(() => placeByCost(graphOf(a, b), pair(), { colocations: [[a.node, b.node]] })).toThrow(
      'it must be with Mul',
    )
  })

  it('answers the same again, whatever device scope it is asked in', () => {
    const graph = graphOf(add(matmul(x, x), matmul(transpose(x), x)))
    const once = placeByCost(graph, pair())
    expect(device('/job:ps', () => placeByCost(graph, pair()))).toEqual(once)
  })
})
