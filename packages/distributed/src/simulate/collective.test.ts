// The collectives as they are, on simulated nodes: they take what the formulas for them say.
import { ndarray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import { Generations, type Group } from '../collective/index.ts'
import { connectMesh } from '../collective/connectMesh.ts'
import { Mesh } from '../collective/mesh.ts'
import { Scenario, uniformNodes } from './scenario.ts'

const deadlineMs = 60_000
const bytesPerSecond = 125e6
/** One way, from node to node. */
const latencyMs = 0.2

/** Members that are connected each to each. */
async function groupOf(
  n: number,
): Promise<{ readonly scenario: Scenario; readonly groups: readonly Group[] }> {
  const scenario = new Scenario({
    nodes: uniformNodes('w', n, { bytesPerSecond, latencyMs: latencyMs / 2 }),
    frames: { aliveMs: 60_000 },
    trace: false,
  })
  const members = scenario.network.nodes.map(({ name }) => name)
  const join = async (rank: number): Promise<Group> => {
    const { process } = scenario.network.nodes[rank]!
    const mesh = new Mesh(members[rank]!, process.clock)
    const others = members.slice(0, rank).map((id) => [id, `${id}:1`] as const)
    await connectMesh(mesh, `${mesh.id}:1`, process.transport, { others })
    // Those that come later dial this one.
    await new Promise<void>((resolve) => process.clock.after(1000 - process.clock.now(), resolve))
    return new Generations(mesh).enter({ number: 1, members })
  }
  return { scenario, groups: await scenario.settle(Promise.all(members.map((_, rank) => join(rank)))) }
}

/** Milliseconds until all have the sum of so many float32. */
async function sumMs(scenario: Scenario, groups: readonly Group[], size: number, key: string) {
  const began = scenario.clock.now()
  const sums = groups.map((group, rank) =>
    group.allReduce(key, [ndarray(new Float32Array(size).fill(rank))], { op: 'sum', deadlineMs }),
  )
  const expected = (groups.length * (groups.length - 1)) / 2
  for (const [sum] of await scenario.settle(Promise.all(sums)))
    expect([sum!.at(0), sum!.at(size - 1)]).toEqual([expected, expected])
  return scenario.clock.now() - began
}

describe('a sum over simulated nodes', () => {
  it.each([
    [4, 4_000_000],
    [16, 1_600_000],
    [64, 400_000],
  ])('of %i members takes what a ring takes for %i bytes', async (n, bytes) => {
    const { scenario, groups } = await groupOf(n)
    const before = scenario.network.nodes.map(({ traffic }) => traffic.sent)
    const took = await sumMs(scenario, groups, bytes / 4, 'large')
    const formula = 2 * (n - 1) * ((1000 * bytes) / n / bytesPerSecond + latencyMs)
    expect(took / formula).toBeGreaterThan(0.95)
    expect(took / formula).toBeLessThan(1.15)
    const optimum = (2 * (n - 1) * bytes) / n
    // What is not data is some hundred bytes for each step, and as many for each piece of a large part.
    const most = 1.002 * optimum + 2 * (n - 1) * 400
    for (const [i, { traffic }] of scenario.network.nodes.entries()) {
      expect(traffic.sent - before[i]!).toBeGreaterThan(optimum)
      expect(traffic.sent - before[i]!).toBeLessThan(most)
    }
  })

  it('of 4 members in buckets of 128 KiB sends no more than two hundredths besides its data', async () => {
    const { scenario, groups } = await groupOf(4)
    const [buckets, bytes] = [8, 2 ** 17]
    for (const [wire, share] of [['bfloat16', 1 / 2] as const, [undefined, 1] as const]) {
      const before = scenario.network.nodes.map(({ traffic }) => traffic.sent)
      const exchanges = groups.map(async (group) => {
        const exchange = group.begin('gradients', { deadlineMs })
        for (let i = 0; i < buckets; i++)
          void exchange.allReduce(`dense ${i}`, [ndarray(new Float32Array(bytes / 4))], { wire })
        await exchange.end()
      })
      await scenario.settle(Promise.all(exchanges))
      const optimum = buckets * bytes * share * 1.5
      for (const [i, { traffic }] of scenario.network.nodes.entries())
        expect((traffic.sent - before[i]!) / optimum).toBeLessThan(1.02)
    }
  })

  it('of 32 members is known sooner by the tree, where it is small', async () => {
    const { scenario, groups } = await groupOf(32)
    const took = await sumMs(scenario, groups, 1000, 'small')
    const [ring, depth] = [2 * 31 * latencyMs, Math.log2(32)]
    // Up and down for the sum, up and down for the agreement on it.
    expect(took).toBeGreaterThan(2 * depth * latencyMs)
    expect(took).toBeLessThan(5 * depth * latencyMs + 2)
    expect(took).toBeLessThan(ring)
  })
})
