// Two plain ways of exchanging gradients, written against connections alone: the simulation agrees with the formulas for them, and with sockets.
import { ndarray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Connection, Handler, Traffic, Transport } from '../transport/contract.ts'
import { SocketTransport } from '../transport/socket.ts'
import type { NodeSpec } from './node.ts'
import type { SimulatedProcess } from './process.ts'
import { Scenario, uniformNodes } from './scenario.ts'

const deadlineMs = 600_000
const none = new Uint8Array(0)
const frames = { aliveMs: 60_000 }

/** One member of a ring: sums are made part by part, each part going round once to be added to and once to be known. */
class RingMember {
  readonly values: Float32Array
  /** What it did, in its order. */
  readonly log: string[] = []
  readonly #rank: number
  readonly #members: number
  readonly #steps: readonly PromiseWithResolvers<Float32Array>[]

  constructor(rank: number, members: number, size: number) {
    this.#rank = rank
    this.#members = members
    this.values = Float32Array.from({ length: size }, (_, i) => rank + (i % 7))
    this.#steps = Array.from({ length: 2 * (members - 1) }, () => Promise.withResolvers<Float32Array>())
  }

  readonly put: Handler = async ({ head, tensors }) => {
    this.#steps[head[0]!]!.resolve(tensors[0]!.data as Float32Array)
    return { head: none, tensors: [] }
  }

  async allReduce(right: Connection): Promise<void> {
    const sent: Promise<unknown>[] = []
    for (const [step, { promise }] of this.#steps.entries()) {
      this.log.push(`sends ${step}`)
      const tensors = [ndarray(this.#part(this.#rank - step).slice())]
      sent.push(right.call('put', { head: Uint8Array.of(step), tensors }, { deadlineMs }))
      const came = await promise
      this.log.push(`got ${step}`)
      const part = this.#part(this.#rank - step - 1)
      if (step < this.#members - 1) for (const [i, value] of came.entries()) part[i]! += value
      else part.set(came)
    }
    await Promise.all(sent)
  }

  #part(index: number): Float32Array {
    const n = this.#members
    const length = this.values.length / n
    const at = (((index % n) + n) % n) * length
    return this.values.subarray(at, at + length)
  }
}

/** Puts a ring together, and lets it run once `begin` says so. Answers with the traffic of each member's two connections. */
async function runRing(
  members: readonly RingMember[],
  transportOf: (rank: number) => { readonly transport: Transport; readonly listenAt: string },
  begin: () => Promise<void> = async () => {},
): Promise<readonly (readonly Traffic[])[]> {
  const lefts = members.map(() => Promise.withResolvers<Connection>())
  const listeners = await Promise.all(
    members.map(({ put }, rank) => {
      const { transport, listenAt } = transportOf(rank)
      return transport.listen(listenAt, {
        connected(connection) {
          connection.serve({ put })
          lefts[rank]!.resolve(connection)
        },
      })
    }),
  )
  const rights = await Promise.all(
    members.map((_, rank) => {
      const { address } = listeners[(rank + 1) % members.length]!
      return transportOf(rank).transport.connect(address, { deadlineMs })
    }),
  )
  await begin()
  await Promise.all(members.map((member, rank) => member.allReduce(rights[rank]!)))
  const open = await Promise.all(lefts.map(({ promise }) => promise))
  const traffic = members.map((_, rank) => [rights[rank]!.traffic(), open[rank]!.traffic()])
  await Promise.all([...rights.map((right) => right.close()), ...listeners.map((one) => one.close())])
  return traffic
}

const ringOf = (members: number, size: number): readonly RingMember[] =>
  Array.from({ length: members }, (_, rank) => new RingMember(rank, members, size))

const socketsInClear = (): { readonly transport: Transport; readonly listenAt: string } => ({
  transport: new SocketTransport({ insecure: true, log: () => {}, frames }),
  listenAt: '127.0.0.1:0',
})

/** A ring on simulated nodes; and how long it took, from the moment when all connections were open. */
async function simulateRing(members: readonly RingMember[], spec: Omit<NodeSpec, 'name'> = {}) {
  const scenario = new Scenario({ nodes: uniformNodes('w', members.length, spec), frames, trace: false })
  const { clock, network } = scenario
  let began = 0
  let took = 0
  const done = runRing(
    members,
    (rank) => ({ transport: network.nodes[rank]!.process.transport, listenAt: `w${rank}:1` }),
    async () => {
      await new Promise<void>((resolve) => clock.after(100, resolve))
      began = clock.now()
    },
  ).then((traffic) => {
    took = clock.now() - began
    return traffic
  })
  const traffic = await scenario.settle(done)
  return { traffic, tookMs: took, nodes: network.nodes }
}

describe('a ring', () => {
  it.each([
    [4, 4_000_000, { latencyMs: 0.1 }],
    [16, 1_600_000, { latencyMs: 0.1 }],
    [8, 1_600_000, { latencyMs: 5 }],
    [8, 1_000_000, { bytesPerSecond: 12.5e6 }],
    [4, 1_000_000, { bytesPerSecond: 125e6, downBytesPerSecond: 12.5e6 }],
  ])('of %i members with %i bytes takes what the formula says, %o', async (n, bytes, spec) => {
    const members = ringOf(n, bytes / 4)
    const { tookMs, nodes } = await simulateRing(members, spec)
    const { latencyMs = 0.1, bytesPerSecond = 125e6, downBytesPerSecond = bytesPerSecond } = spec as NodeSpec
    const slowest = Math.min(bytesPerSecond, downBytesPerSecond)
    const steps = 2 * (n - 1)
    // The last answer goes one way more; then all connections are closed, which is another.
    const formula = ((steps / n) * bytes * 1000) / slowest + steps * 2 * latencyMs
    expect(tookMs).toBeGreaterThan(formula)
    expect(tookMs).toBeLessThan(1.02 * formula + 6 * latencyMs)
    for (const { traffic } of nodes) expect(traffic.sent / ((steps / n) * bytes)).toBeCloseTo(1, 1.7)
    const sum = (i: number): number => (n * (n - 1)) / 2 + n * (i % 7)
    for (const { values } of members) expect(values.findIndex((value, i) => value !== sum(i))).toBe(-1)
  })

  it.each([
    // Credit is given twice on each connection.
    ['of 4 members', 4, 4 * 51_200],
    // Each call waits to be let in.
    ['of 2 members with large parts', 2, 2 * 179_200],
  ])('%s moves the same bytes in the same order as over sockets', async (_, n, size) => {
    const [simulated, real] = [ringOf(n, size), ringOf(n, size)]
    const { traffic } = await simulateRing(simulated)
    expect(traffic).toEqual(await runRing(real, socketsInClear))
    expect(traffic[0]![0]!.sent).toBeGreaterThan((8 * (n - 1) * size) / n)
    expect(simulated.map(({ log }) => log)).toEqual(real.map(({ log }) => log))
    for (const [rank, { values }] of simulated.entries())
      expect(values.findIndex((value, i) => value !== real[rank]!.values[i])).toBe(-1)
  })
})

describe('a parameter server', () => {
  /** Every worker fetches the parameters, computes, and sends as many bytes back, some times; answers with the time until all are done. */
  async function serve(workers: number, bytes: number, steps: number, computeMs: number): Promise<number> {
    const scenario = new Scenario({
      nodes: [{ name: 'ps' }, ...uniformNodes('w', workers)],
      trace: false,
    })
    const parameters = ndarray(new Uint8Array(bytes))
    await scenario.node('ps').process.transport.listen('ps:1', {
      connected: (connection) =>
        connection.serve({
          fetch: async () => ({ head: none, tensors: [parameters] }),
          push: async () => ({ head: none, tensors: [] }),
        }),
    })
    const work = async (process: SimulatedProcess): Promise<number> => {
      const { transport, clock } = process
      const server = await transport.connect('ps:1', { deadlineMs })
      await new Promise<void>((resolve) => clock.after(1000 - clock.now(), resolve))
      for (let step = 0; step < steps; step++) {
        const { tensors } = await server.call('fetch', { head: none, tensors: [] }, { deadlineMs })
        await process.compute(computeMs)
        await server.call('push', { head: none, tensors }, { deadlineMs })
      }
      return clock.now() - 1000
    }
    const done = Array.from({ length: workers }, (_, i) => scenario.start(`w${i}`, work))
    return Math.max(...(await scenario.settle(Promise.all(done))))
  }

  it('is as fast as its way out and in, for all workers together', async () => {
    const [workers, bytes] = [8, 250_000]
    const took = await serve(workers, bytes, 1, 60)
    // All fetch at once, at an eighth of the rate each; then all send at once. Four ways of 0.2 ms.
    const formula = (2 * workers * bytes * 1000) / 125e6 + 60 + 4 * 0.2
    expect(took / formula).toBeCloseTo(1, 1.7)
  })

  it('serves a thousand workers, in a few seconds of real time', async () => {
    const [workers, bytes, steps] = [1000, 1024, 3]
    const took = await serve(workers, bytes, steps, 500)
    const fetching = (workers * bytes * 1000) / 125e6
    expect(took).toBeGreaterThan(steps * 500 + fetching)
    expect(took).toBeLessThan(steps * (500 + 2.4 * fetching + 1))
  })
})
