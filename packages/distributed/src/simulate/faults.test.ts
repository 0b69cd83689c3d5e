import { ndarray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Connection, Message } from '../transport/contract.ts'
import type { NodeSpec } from './node.ts'
import { Scenario, uniformNodes } from './scenario.ts'

const deadlineMs = 60_000
const none = new Uint8Array(0)
const empty: Message = { head: none, tensors: [] }
const megabyte: Message = { head: none, tensors: [ndarray(new Uint8Array(1e6))] }

/** A node that calls another one; 5 ms lie between them. */
async function connected(spec: Omit<NodeSpec, 'name'> = {}, more = {}) {
  const scenario = new Scenario({ nodes: uniformNodes('n', 2, { latencyMs: 2.5, ...spec }), ...more })
  const { clock, network } = scenario
  const [near, far] = [scenario.node('n0'), scenario.node('n1')]
  const times: number[] = []
  const serve = (connection: Connection): void =>
    connection.serve({
      echo: async (message) => (times.push(clock.now()), message),
      pull: async () => ({ head: none, tensors: [ndarray(new Uint8Array(250_000))] }),
      compute: async () => {
        await far.process.compute(100)
        return empty
      },
    })
  const listen = () => far.process.transport.listen('n1:1', { connected: serve })
  await listen()
  const connection = await scenario.settle(near.process.transport.connect('n1:1', { deadlineMs }))
  await clock.run(1000)
  const call = (method: string, message = empty, ms = deadlineMs): Promise<string> =>
    connection.call(method, message, { deadlineMs: ms }).then(
      () => `answered at ${Math.round(clock.now())}`,
      ({ name }: Error) => `${name} at ${Math.round(clock.now())}`,
    )
  return { scenario, clock, network, near, far, connection, times, listen, call }
}

describe('a process that dies', () => {
  it('is known to be dead at once where its machine lives', async () => {
    const { scenario, far, call, connection } = await connected()
    const lost = call('compute')
    scenario.clock.after(50, () => far.crash())
    expect(await scenario.settle(lost)).toBe('ConnectionLostError at 1055')
    expect((await connection.closed)!.message).toBe(
      'the stream ended without a farewell: the peer reset the connection',
    )
  })

  it('is known to be dead by its silence where its machine is off', async () => {
    const { scenario, far, call, connection } = await connected()
    const lost = call('compute')
    scenario.clock.after(50, () => far.powerOff())
    expect(await scenario.settle(lost)).toMatch(/^ConnectionLostError at (?:2[4-9]|3\d)\d\d$/)
    expect((await connection.closed)!.message).toMatch(/no sign of life/)
    // Nothing is left of either, and nothing happens any more.
    await scenario.clock.run()
  })

  it('does nothing any more: its timers, its work and its calls never end', async () => {
    const { scenario, far, near, clock } = await connected()
    const ended: string[] = []
    const { process } = far
    process.clock.after(10, () => ended.push('timer'))
    void process.compute(10).then(() => ended.push('work'))
    near.crash()
    far.crash()
    process.clock.after(20, () => ended.push('new timer'))
    void process.compute(20).then(() => ended.push('new work'))
    void process.transport.connect('n0:1', { deadlineMs }).catch(() => ended.push('connecting'))
    await clock.run()
    expect(ended).toEqual([])
    expect(process.alive).toBe(false)
    expect(scenario.events.slice(-2)).toEqual([
      { at: 1000, kind: 'crash', nodes: ['n0'] },
      { at: 1000, kind: 'crash', nodes: ['n1'] },
    ])
  })

  it('is another one after a restart, which knows nothing of the old connections', async () => {
    const { scenario, far, near, call, listen, connection } = await connected()
    far.powerOff()
    far.restart()
    await listen()
    expect(await scenario.settle(call('echo'))).toBe('ConnectionLostError at 1010')
    expect((await connection.closed)!.message).toMatch(/reset/)
    const again = near.process.transport.connect('n1:1', { deadlineMs })
    const echo = again.then((one) => one.call('echo', empty, { deadlineMs }))
    expect(await scenario.settle(echo)).toEqual(empty)
    far.restart()
    expect(scenario.events.filter(({ kind }) => kind === 'restart')).toHaveLength(1)
  })
})

describe('a process that is paused', () => {
  it('goes on where it was, if that is soon enough', async () => {
    const { scenario, clock, far, call } = await connected()
    const work = call('compute')
    clock.after(50, () => far.pause())
    clock.after(1050, () => far.resume())
    // It came after 5 ms, and had 55 of its 100 ms to go.
    expect(await scenario.settle(work)).toBe('answered at 2110')
    await clock.run(20_000)
    expect(await scenario.settle(call('echo'))).toBe('answered at 20010')
  })

  it('is given up after three seconds, and learns of it when it goes on', async () => {
    const { scenario, clock, far, call, connection, times } = await connected()
    far.pause()
    const lost = [call('echo'), call('echo', megabyte)]
    clock.after(10_000, () => far.resume())
    for (const end of await scenario.settle(Promise.all(lost)))
      expect(end).toMatch(/^ConnectionLostError at (?:2[4-9]|3\d)\d\d$/)
    expect(await connection.closed).toBeInstanceOf(Error)
    expect(times).toEqual([])
    await clock.run()
    // What came before the end is seen first, as by a process that reads what its system has kept.
    expect(times).toEqual([11_000])
  })

  it('sees its late timers first, then all that came, in the order in which it came', async () => {
    const { clock, far } = await connected()
    const seen: string[] = []
    far.pause()
    far.process.clock.after(30, () => seen.push('timer 30'))
    const off = far.process.clock.after(5, () => seen.push('called off'))
    far.process.deliver(() => seen.push('first'))
    far.process.deliver(() => seen.push('second'))
    clock.after(100, () => {
      off()
      far.resume()
      far.process.deliver(() => seen.push('third'))
      far.pause()
    })
    clock.after(200, () => far.resume())
    await clock.run(1500)
    expect(seen).toEqual(['timer 30', 'first', 'second', 'third'])
  })
})

describe('a link that is cut', () => {
  it('holds what is sent until it is mended', async () => {
    const { scenario, clock, network, call } = await connected()
    network.cut(['n0'], ['n1'])
    const calls = [call('echo', megabyte), call('echo')]
    clock.after(1000, () => network.mend(['n0'], ['n1']))
    const [large, small] = await scenario.settle(Promise.all(calls))
    // What came at once asks to be let in; then all comes, and goes back: 8 ms each way.
    expect(Number(large!.slice(-4))).toBeGreaterThan(2010)
    expect(Number(large!.slice(-4))).toBeLessThan(2040)
    // It waits for what came before it.
    expect(small).toBe('answered at 2006')
    expect(scenario.events.filter(({ kind }) => kind === 'cut' || kind === 'mend')).toEqual([
      { at: 1000, kind: 'cut', nodes: ['n0'], others: ['n1'] },
      { at: 2000, kind: 'mend', nodes: ['n0'], others: ['n1'] },
    ])
  })

  it('ends connections when that takes too long, on both sides', async () => {
    const { scenario, clock, network, call } = await connected()
    network.cut(['n1'], ['n0'])
    expect(await scenario.settle(call('echo'))).toMatch(/^ConnectionLostError at (?:2[4-9]|3\d)\d\d$/)
    await clock.run()
    network.mend(['n0'], ['n1'])
    await clock.run()
    expect(() => network.cut(['n2'], ['n0'])).toThrow(`no node 'n2'`)
  })
})

describe('a link that loses', () => {
  it('brings everything in its order, only later', async () => {
    const { scenario, far, call, connection, times } = await connected(
      {},
      { lossRate: 0.2, retransmitMs: 50, frames: { aliveMs: 60_000 } },
    )
    const calls = Array.from({ length: 40 }, () => call('echo'))
    await scenario.settle(Promise.all(calls))
    expect(times).toHaveLength(40)
    const large = ndarray(Float32Array.from({ length: 250_000 }, (_, i) => i))
    const before = scenario.clock.now()
    const echo = connection.call('echo', { head: none, tensors: [large] }, { deadlineMs })
    const { tensors } = await scenario.settle(echo)
    expect((tensors[0]!.data as Float32Array).findIndex((value, i) => value !== i)).toBe(-1)
    expect(scenario.clock.now() - before).toBeGreaterThan(26 + 2 * 50)
    expect(far.process.alive).toBe(true)
  })
})

describe('a node that is slow', () => {
  it('computes one thing at a time, in the order of asking, at its speed', async () => {
    const { clock, far, scenario } = await connected({ speed: 2 })
    const done: string[] = []
    const compute = (ms: number): Promise<unknown> =>
      far.process.compute(ms).then(() => done.push(`${ms} at ${clock.now() - 1000}`))
    const all = [compute(100), compute(20), compute(0)]
    await scenario.settle(all[0]!)
    far.speed = 0.1
    all.push(compute(10))
    await scenario.settle(Promise.all(all))
    // What is begun before keeps its speed.
    expect(done).toEqual(['100 at 50', '20 at 60', '0 at 60', '10 at 160'])
    await expect(far.process.compute(NaN)).rejects.toThrow(`'n1' cannot compute for NaN ms`)
  })

  it('sends as fast as it is connected, whatever that comes to be', async () => {
    const { scenario, near, far, clock, call } = await connected()
    const took = async (): Promise<number> => {
      const before = clock.now()
      await scenario.settle(call('pull'))
      return clock.now() - before
    }
    // As many bytes a millisecond as the slower of the two ways has, and 5 ms there and back.
    expect(await took()).toBeCloseTo(10 + 2, 0)
    far.up.bytesPerSecond = 12.5e6
    expect(await took()).toBeCloseTo(10 + 20, 0)
    near.down.bytesPerSecond = 1.25e6
    expect(await took()).toBeCloseTo(10 + 200, 0)
    near.latencyMs = 97.5
    expect(await took()).toBeCloseTo(200 + 200, 0)
  })
})
