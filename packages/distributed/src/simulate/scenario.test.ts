import { ndarray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { SimulatedProcess } from './process.ts'
import { Scenario, uniformNodes } from './scenario.ts'

const deadlineMs = 5000
const empty = { head: new Uint8Array(0), tensors: [] }

/** Workers that compute and tell a server, through jitter, loss and failures; answers with the scenario when an hour is over. */
async function hour(seed: number): Promise<Scenario> {
  const scenario = new Scenario({
    seed,
    nodes: [
      { name: 'server' },
      ...uniformNodes('w', 3, { speedSpread: 0.3, jitter: 0.2, failuresPerHour: 4 }),
    ],
    lossRate: 0.01,
    repairMs: 30_000,
  })
  const message = { ...empty, tensors: [ndarray(new Uint8Array(100_000))] }
  const serve = async ({ transport }: SimulatedProcess): Promise<void> => {
    await transport.listen('server:1', {
      connected: (connection) => connection.serve({ take: async () => empty }),
    })
  }
  const work = async (process: SimulatedProcess): Promise<void> => {
    const server = await process.transport.connect('server:1', { deadlineMs })
    for (;;) {
      await process.compute(20_000)
      await server.call('take', message, { deadlineMs })
    }
  }
  void scenario.start('server', serve)
  for (const name of ['w0', 'w1', 'w2']) void scenario.start(name, work)
  await scenario.clock.run(3_600_000)
  return scenario
}

describe('a scenario', () => {
  it('is the same story with the same seed, and another one with another', async () => {
    const [one, same, other] = [await hour(1), await hour(1), await hour(2)]
    expect(one.events.length).toBeGreaterThan(1000)
    expect(same.events).toEqual(one.events)
    expect(same.clock.events).toBe(one.clock.events)
    expect(same.network.nodes.map(({ traffic }) => traffic)).toEqual(
      one.network.nodes.map(({ traffic }) => traffic),
    )
    expect(other.events).not.toEqual(one.events)
    // Three nodes, an hour, four failures each; and each comes back and works.
    for (const { events } of [one, other]) {
      const failed = events.filter(({ kind }) => kind === 'powerOff').length
      expect(failed).toBeGreaterThan(3)
      expect(failed).toBeLessThan(25)
      const last = events.findLast(({ kind }) => kind === 'restart')!
      const worked = events.find((event) => event.at > last.at && event.kind === 'compute')
      expect(worked).toMatchObject({ node: (last as { readonly nodes: readonly string[] }).nodes[0] })
    }
  }, 20_000)

  it('tells who sent what when, and who computed', async () => {
    const scenario = new Scenario({ nodes: [{ name: 'a' }, { name: 'b', role: 'ps' }] })
    const run = async ({ transport, node }: SimulatedProcess): Promise<void> => {
      const connection = await transport.connect('b:1', { deadlineMs })
      await node.process.compute(7)
      await connection.call('half', { ...empty, tensors: [ndarray([1, 2])], wire: 'float16' }, { deadlineMs })
      await connection.call('none', empty, { deadlineMs }).catch(() => {})
      await connection.close()
    }
    await scenario.start('b', ({ transport }) =>
      transport.listen('b:1', {
        connected: (connection) => connection.serve({ half: async (given) => given }),
      }),
    )
    await scenario.settle(scenario.start('a', run))
    const story = scenario.events.map(({ at, ...event }) => {
      expect(at).toBeGreaterThan(0)
      return event
    })
    const call = { what: 'call', from: 'a', to: 'b' } as const
    const half = { id: 1, method: 'half' }
    const nobody = { id: 2, method: 'none' }
    expect(story).toEqual([
      { kind: 'compute', node: 'a', ms: 7 },
      { kind: 'sent', ...call, ...half, bytes: 4 },
      { kind: 'received', ...call, ...half },
      { kind: 'sent', what: 'answer', from: 'b', to: 'a', id: 1, bytes: 8 },
      { kind: 'received', what: 'answer', from: 'b', to: 'a', id: 1 },
      { kind: 'sent', ...call, ...nobody, bytes: 0 },
      { kind: 'received', ...call, ...nobody },
      { kind: 'sent', what: 'error', from: 'b', to: 'a', id: 2 },
      { kind: 'received', what: 'error', from: 'b', to: 'a', id: 2 },
    ])
    expect(scenario.events.map(({ at }) => at)).toEqual(
      scenario.events.map(({ at }) => at).toSorted((a, b) => a - b),
    )
  })

  it('runs a program again after a restart, and answers with what comes of it', async () => {
    const scenario = new Scenario({ nodes: uniformNodes('n', 1), trace: false })
    let lives = 0
    const program = async (process: SimulatedProcess): Promise<string> => {
      const life = ++lives
      await process.compute(1000)
      return `life ${life}, at ${scenario.clock.now()}`
    }
    const end = scenario.start('n0', program)
    scenario.clock.after(500, () => scenario.node('n0').powerOff())
    scenario.clock.after(800, () => scenario.node('n0').restart())
    expect(await scenario.settle(end)).toBe('life 2, at 1800')
    expect(scenario.events).toEqual([])
    const failing = scenario.start('n0', async () => {
      throw new RangeError('a fault of its own')
    })
    await expect(scenario.settle(failing)).rejects.toThrow('a fault of its own')
  })

  it('spreads speeds and times around what was asked for', async () => {
    const nodes = uniformNodes('n', 1000, { speed: 2, speedSpread: 0.25 })
    const speeds = new Scenario({ nodes, trace: false }).network.nodes.map(({ speed }) => speed)
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value) / values.length
    const spread = (values: readonly number[]): number => {
      const logs = values.map(Math.log)
      const middle = mean(logs)
      return Math.sqrt(mean(logs.map((log) => (log - middle) ** 2)))
    }
    expect(mean(speeds)).toBeCloseTo(2, 1)
    expect(spread(speeds)).toBeCloseTo(0.25, 1)
    const scenario = new Scenario({ nodes: uniformNodes('n', 1, { jitter: 0.5 }) })
    const { process } = scenario.node('n0')
    await scenario.settle(Promise.all(Array.from({ length: 1000 }, () => process.compute(10))))
    const times = scenario.events.map((event) => (event.kind === 'compute' ? event.ms : NaN))
    expect(times).toHaveLength(1000)
    expect(mean(times) / 10).toBeCloseTo(1, 1)
    expect(spread(times)).toBeCloseTo(0.5, 1)
  })

  it('refuses numbers that cannot be, and names that are there twice', () => {
    expect(() => new Scenario({ nodes: [{ name: 'a' }, { name: 'a' }] })).toThrow('two nodes')
    expect(() => new Scenario({ nodes: [{ name: 'a', speed: 0 }] })).toThrow(`the node 'a': speed must be`)
    expect(() => new Scenario({ nodes: [], seed: 0.5 })).toThrow('seed must be a whole number')
    expect(() => new Scenario({ nodes: [] }).node('b')).toThrow(`no node 'b'`)
  })
})
