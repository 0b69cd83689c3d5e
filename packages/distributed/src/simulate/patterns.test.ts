// Two plain ways of exchanging gradients, written against connections alone: the simulation agrees with the formulas for them, and with sockets.
import { type NDArray, ndarray } from '@shoal/core'
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
  /** What goes to the right in each step. */
  readonly #steps: readonly PromiseWithResolvers<NDArray>[]

  constructor(rank: number, members: number, size: number) {
    this.#rank = rank
    this.#members = members
    this.values = Float32Array.from({ length: size }, (_, i) => rank + (i % 7))
    this.#steps = Array.from({ length: 2 * (members - 1) }, () => Promise.withResolvers<NDArray>())
  }

  readonly take: Handler = async ({ head }) => {
    const part = await this.#steps[head[0]!]!.promise
    this.log.push(`gives ${head[0]}`)
    return { head: none, tensors: [part] }
  }

  async allReduce(left: Connection): Promise<void> {
    const takes = this.#steps.map((_, step) =>
      left.call('take', { head: Uint8Array.of(step), tensors: [] }, { deadlineMs }),
    )
    this.#offer(0)
    for (const [step, take] of takes.entries()) {
      const { tensors } = await take
      this.log.push(`got ${step}`)
      const came = tensors[0]!.data as Float32Array
      const part = this.#part(this.#rank - step - 1)
      if (step < this.#members - 1) for (const [i, value] of came.entries()) part[i]! += value
      else part.set(came)
      this.#offer(step + 1)
    }
  }

  /** What came in one step goes on in the next. */
  #offer(step: number): void {
    this.#steps[step]?.resolve(ndarray(this.#part(this.#rank - step).slice()))
  }

  #part(index: number): Float32Array {
    const n = this.#members
    const length = this.values.length / n
    const at = (((index % n) + n) % n) * length
    return this.values.subarray(at, at + length)
  }
}

/** Puts a ring together, and lets it run between `begin` and `ended`. Answers with the traffic of each member's two connections. */
async function runRing(
  members: readonly RingMember[],
  transportOf: (rank: number) => { readonly transport: Transport; readonly listenAt: string },
  { begin = async (): Promise<void> => {}, ended = (): void => {} } = {},
): Promise<readonly (readonly Traffic[])[]> {
  const rights = members.map(() => Promise.withResolvers<Connection>())
  const listeners = await Promise.all(
    members.map(({ take }, rank) => {
      const { transport, listenAt } = transportOf(rank)
      return transport.listen(listenAt, {
        connected(connection) {
          connection.serve({ take })
          rights[rank]!.resolve(connection)
        },
      })
    }),
  )
  const lefts = await Promise.all(
    members.map((_, rank) => {
      const { address } = listeners.at(rank - 1)!
      return transportOf(rank).transport.connect(address, { deadlineMs })
    }),
  )
  await begin()
  await Promise.all(members.map((member, rank) => member.allReduce(lefts[rank]!)))
  ended()
  const open = await Promise.all(rights.map(({ promise }) => promise))
  const traffic = members.map((_, rank) => [lefts[rank]!.traffic(), open[rank]!.traffic()])
  await Promise.all([...lefts.map((left) => left.close()), ...listeners.map((one) => one.close())])
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
    {
      async begin() {
        await new Promise<void>((resolve) => clock.after(100, resolve))
        began = clock.now()
      },
      ended: () => (took = clock.now() - began),
    },
  )
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
    // The first part is asked for; from then on all are asked for before they are there.
    const formula = ((steps / n) * bytes * 1000) / slowest + steps * 2 * latencyMs
    expect(tookMs).toBeGreaterThan(formula)
    expect(tookMs).toBeLessThan(1.02 * formula + 2 * latencyMs)
    for (const { traffic } of nodes) expect(traffic.sent / ((steps / n) * bytes)).toBeCloseTo(1, 1.7)
    const sum = (i: number): number => (n * (n - 1)) / 2 + n * (i % 7)
    for (const { values } of members) expect(values.findIndex((value, i) => value !== sum(i))).toBe(-1)
  })

  it('moves the same bytes in the same order as over sockets', async () => {
    // Credit is given once on each connection, wherever a stream is cut.
    const [simulated, real] = [ringOf(4, 140_000), ringOf(4, 140_000)]
    const { traffic } = await simulateRing(simulated)
    expect(traffic).toEqual(await runRing(real, socketsInClear))
    expect(traffic[0]![0]!.received).toBeGreaterThan(6 * 140_000)
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
