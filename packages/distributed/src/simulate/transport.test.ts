import { ndarray } from '@shoal/core'
import { type PairOptions, transportSuite } from '@shoal/conformance/transports'
import { describe, expect, it } from 'vitest'
import type { Connection, Listener, Message, Transport } from '../transport/contract.ts'
import { SocketTransport } from '../transport/socket.ts'
import { Scenario, uniformNodes } from './scenario.ts'

const deadlineMs = 20_000
const empty = { head: new Uint8Array(0), tensors: [] }

transportSuite('simulated', async ({ servedBytes }: PairOptions = {}) => {
  const frames = servedBytes === undefined ? {} : { servedBytes }
  const scenario = new Scenario({ nodes: uniformNodes('n', 2), frames })
  const [near, far] = [scenario.node('n0'), scenario.node('n1')]
  const accepted = Promise.withResolvers<Connection>()
  await far.process.transport.listen('n1:1', { connected: accepted.resolve })
  const dialled = near.process.transport.connect('n1:1', { deadlineMs })
  // Until both ends have closed there are signs of life, so that time passes as long as the test lasts.
  const passing = scenario.clock.run()
  return {
    near: await dialled,
    far: await accepted.promise,
    kill: () => scenario.network.cut(['n0'], ['n1']),
    close: () => passing,
  }
})

/** Two nodes, and the way from one to the other. */
function twoNodes() {
  const scenario = new Scenario({ nodes: uniformNodes('n', 2, { latencyMs: 5 }) })
  const [near, far] = [scenario.node('n0').process, scenario.node('n1').process]
  const connect = (address: string, signal?: AbortSignal): Promise<Connection> =>
    scenario.settle(near.transport.connect(address, { deadlineMs, signal }))
  const listen = (address: string, connected = (_: Connection): void => {}): Promise<Listener> =>
    far.transport.listen(address, { connected })
  return { scenario, near, far, connect, listen }
}

describe('the simulated transport', () => {
  it('listens at free ports, and at its own node alone', async () => {
    const { listen } = twoNodes()
    const one = await listen('n1:0')
    const other = await listen('n1:0')
    expect([one.address, other.address]).toEqual(['n1:49152', 'n1:49153'])
    await expect(listen('n1:49152')).rejects.toThrow('cannot listen at n1:49152: it is taken')
    await one.close()
    await one.close()
    await listen('n1:49152')
    await expect(listen('n0:1')).rejects.toThrow('that is another node')
  })

  it('lets what is small in between the large things of others, on the way in', async () => {
    const scenario = new Scenario({ nodes: [{ name: 'a' }, ...uniformNodes('n', 4)] })
    await scenario.node('a').process.transport.listen('a:1', {
      connected: (connection) => connection.serve({ take: async () => empty }),
    })
    const connections = await scenario.settle(
      Promise.all(
        [0, 1, 2, 3].map((i) => scenario.node(`n${i}`).process.transport.connect('a:1', { deadlineMs })),
      ),
    )
    const took = async (connection: Connection, message: Message): Promise<number> => {
      const began = scenario.clock.now()
      await connection.call('take', message, { deadlineMs })
      return scenario.clock.now() - began
    }
    const large = { ...empty, tensors: [ndarray(new Uint8Array(1_000_000))] }
    const bulk = connections.slice(1).map((connection) => took(connection, large))
    await scenario.clock.run(scenario.clock.now() + 10)
    // By now more is on its way in than 16 ms will do. A message waits for a segment of each of the others.
    expect(await scenario.settle(took(connections[0]!, empty))).toBeLessThan(1.5)
    const all = await scenario.settle(Promise.all(bulk))
    expect(Math.max(...all) / 24).toBeCloseTo(1, 1)
  })

  it('takes two round trips until a connection is open: one to be let in, and one to hear the peer', async () => {
    const { scenario, connect, listen } = twoNodes()
    let accepted = 0
    await listen('n1:1', () => (accepted = scenario.clock.now()))
    const connection = await connect('n1:1')
    expect(connection.peer).toEqual({ cluster: 'simulated', node: 'n1', role: '' })
    expect(scenario.clock.now()).toBeCloseTo(20, 2)
    expect(accepted).toBe(0)
    await scenario.clock.run(31)
    expect(accepted).toBeCloseTo(30, 2)
  })

  it('names what cannot be reached', async () => {
    const { scenario, connect, listen } = twoNodes()
    await expect(connect('n2:1')).rejects.toMatchObject({
      name: 'ConnectError',
      message: expect.stringContaining(`no node 'n2'`),
    })
    await expect(connect('n1:1')).rejects.toMatchObject({
      name: 'ConnectError',
      message: 'n1:1 cannot be reached: nobody listens there',
    })
    expect(scenario.clock.now()).toBe(20)
    await listen('n1:1')
    scenario.node('n1').powerOff()
    await expect(connect('n1:1')).rejects.toMatchObject({
      name: 'DeadlineError',
      message: `connecting to n1:1: not done within ${deadlineMs} ms`,
    })
  })

  it('gives up connecting when asked to', async () => {
    const { scenario, connect, listen } = twoNodes()
    let accepted = false
    await listen('n1:1', () => (accepted = true))
    const control = new AbortController()
    scenario.clock.after(7, () => control.abort(new Error('changed my mind')))
    await expect(connect('n1:1', control.signal)).rejects.toMatchObject({ name: 'CancelledError' })
    expect(scenario.clock.now()).toBe(7)
    await scenario.clock.run()
    expect(accepted).toBe(false)
  })

  it('reaches its own node without a wire', async () => {
    const { scenario, near } = twoNodes()
    await near.transport.listen('n0:1', {
      connected: (connection) => connection.serve({ echo: async (message) => message }),
    })
    const message = { ...empty, tensors: [ndarray(new Float32Array(1e6))] }
    const talk = async (): Promise<number> => {
      const connection = await near.transport.connect('n0:1', { deadlineMs })
      return (await connection.call('echo', message, { deadlineMs })).tensors[0]!.size
    }
    expect(await scenario.settle(talk())).toBe(1e6)
    expect([scenario.clock.now(), scenario.node('n0').traffic]).toEqual([0, { sent: 0, received: 0 }])
  })

  it('moves the same bytes as sockets where calls wait to be let in', async () => {
    const frames = { aliveMs: 60_000 }
    const talk = async (near: Transport, far: Transport, at: string): Promise<unknown> => {
      const accepted = Promise.withResolvers<Connection>()
      const listener = await far.listen(at, { connected: accepted.resolve })
      const connection = await near.connect(listener.address, { deadlineMs })
      const peer = await accepted.promise
      peer.serve({ echo: async (message) => message })
      for (const size of [0, 60_000, 300_000]) {
        const message = {
          ...empty,
          tensors: [ndarray(new Float32Array(size / 4))],
          wire: 'bfloat16' as const,
        }
        await connection.call('echo', message, { deadlineMs })
      }
      const traffic = [connection.traffic(), peer.traffic()]
      await Promise.all([connection.close(), listener.close()])
      return traffic
    }
    const scenario = new Scenario({ nodes: uniformNodes('n', 2), frames })
    const [near, far] = scenario.network.nodes.map(({ process }) => process.transport)
    const simulated = await scenario.settle(talk(near!, far!, 'n1:1'))
    const sockets = new SocketTransport({ insecure: true, log: () => {}, frames })
    expect(simulated).toEqual(await talk(sockets, sockets, '127.0.0.1:0'))
  })
})
