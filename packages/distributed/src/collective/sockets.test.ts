import { ndarray } from '@shoal/core'
import { describe, expect, it } from 'vitest'
import type { Group } from './index.ts'
import { connectMesh, Generations, Mesh } from './index.ts'
import type { Connection } from '../transport/contract.ts'
import { ClusterAuthority } from '../security/authority.ts'
import { SocketTransport } from '../transport/socket.ts'

const deadlineMs = 20_000
const authority = await ClusterAuthority.create()

/** Members that are connected over TLS, each by a certificate of its own. */
async function connected(n: number) {
  const ids = Array.from({ length: n }, (_, i) => `w${i}`)
  const meshes = ids.map((id) => new Mesh(id))
  const connections = new Map<string, Connection[]>(ids.map((id) => [id, []]))
  for (const mesh of meshes) {
    const connect = mesh.connect.bind(mesh)
    mesh.connect = (id, connection) => {
      connections.get(mesh.id)!.push(connection)
      connect(id, connection)
    }
  }
  const listening: (readonly [string, string])[] = []
  const listeners: { close(): Promise<void> }[] = []
  for (const mesh of meshes) {
    const transport = new SocketTransport({
      credentials: await authority.issue({ node: mesh.id, role: 'worker' }),
    })
    const listener = await connectMesh(mesh, '127.0.0.1:0', transport, { others: listening })
    listening.push([mesh.id, listener.address])
    listeners.push(listener)
  }
  const groups = meshes.map((mesh) => new Generations(mesh).enter({ number: 1, members: ids }))
  return {
    groups,
    bytesSent: () => ids.map((id) => connections.get(id)!.reduce((sum, c) => sum + c.traffic().sent, 0)),
    kill: (id: string) => Promise.all(connections.get(id)!.map((c) => c.close(new Error('killed')))),
    async close() {
      await Promise.all([...connections.values()].flat().map((connection) => connection.close()))
      await Promise.all(listeners.map((listener) => listener.close()))
    },
  }
}

const sums = async (groups: readonly Group[], arrays: readonly Float32Array[], wire?: 'bfloat16') => {
  const results = await Promise.all(
    groups.map((group, i) => group.allReduce('k', [ndarray(arrays[i]!)], { op: 'sum', wire, deadlineMs })),
  )
  return results.map(([sum]) => sum!.data as Float32Array)
}

describe('sums over sockets', () => {
  it.each([1, 2, 3, 4, 7])(
    'of %i members are the plain ones, with few bytes more than there must be',
    async (n) => {
      const { groups, bytesSent, close } = await connected(n)
      const length = n * 100_000
      const arrays = groups.map((_, r) =>
        Float32Array.from({ length }, (_, i) => ((i * 7 + r * 13) % 1024) - 512),
      )
      const expected = Float32Array.from({ length }, (_, i) => arrays.reduce((sum, a) => sum + a[i]!, 0))
      for (const [wire, bytes] of [[undefined, 4] as const, ['bfloat16', 2] as const]) {
        const before = bytesSent()
        const results = await sums(groups, arrays, wire)
        for (const sum of results)
          expect(Buffer.compare(Buffer.from(sum.buffer), Buffer.from(results[0]!.buffer))).toBe(0)
        const worst = results[0]!.reduce((most, x, i) => Math.max(most, Math.abs(x - expected[i]!)), 0)
        expect(worst).toBeLessThanOrEqual(wire ? n * 2 ** -8 * 512 * n : 0)
        const least = ((2 * (n - 1)) / n) * bytes * length
        bytesSent().forEach((sent, i) => {
          expect(sent - before[i]!).toBeGreaterThanOrEqual(least)
          expect(sent - before[i]!).toBeLessThanOrEqual(1.02 * least)
        })
      }
      await close()
    },
  )

  it('end for all when one member is gone, and say which', async () => {
    const { groups, kill, close } = await connected(4)
    const arrays = groups.map(() => new Float32Array(1e6))
    const rest = groups
      .slice(0, 3)
      .map((group, i) => group.allReduce('k', [ndarray(arrays[i]!)], { deadlineMs }))
    const results = Promise.allSettled(rest)
    await kill('w3')
    for (const result of await results)
      expect(result).toMatchObject({
        reason: {
          name: 'ExchangeError',
          message: expect.stringMatching(/^generation 1 is over: .*'w3'/) as string,
        },
      })
    await close()
  })
})
