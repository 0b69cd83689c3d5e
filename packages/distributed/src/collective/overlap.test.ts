// The exchange of one bucket beside the computation of the next, as a trace shows it.
import type { HostFunction, Tensor, TraceEvent } from '@shoal/core'
import { hostFunction, matmul, placeholder, Session, variable, zeros } from '@shoal/core'
import type { GradientPair } from '@shoal/train'
import { gradientDescent } from '@shoal/train'
import { describe, expect, it } from 'vitest'
import { ClusterAuthority } from '../security/authority.ts'
import { SocketTransport } from '../transport/socket.ts'
import { allReduceGradients, connectMesh, Generations, localMeshes, Mesh } from './index.ts'

const deadlineMs = 20_000
const ids = ['a', 'b']

/** Two members over TLS, and what ends their listening. */
async function overSockets() {
  const authority = await ClusterAuthority.create()
  const meshes = ids.map((id) => new Mesh(id))
  const listening: (readonly [string, string])[] = []
  const listeners: { close(): Promise<void> }[] = []
  for (const mesh of meshes) {
    const credentials = await authority.issue({ node: mesh.id, role: 'worker' })
    const transport = new SocketTransport({ credentials })
    const listener = await connectMesh(mesh, '127.0.0.1:0', transport, { others: listening })
    listening.push([mesh.id, listener.address])
    listeners.push(listener)
  }
  return { meshes, close: () => Promise.all(listeners.map((listener) => listener.close())) }
}

const networks = {
  'in one process': async () => ({ meshes: await localMeshes(ids), close: () => Promise.resolve([]) }),
  'over TLS': overSockets,
}

/** Settles, a turn later, when a member has taken all that the first bucket makes it take of the other. */
function firstBucketOf(mesh: Mesh): Promise<void> {
  const call = mesh.call.bind(mesh)
  const { promise, resolve } = Promise.withResolvers<void>()
  // In a ring of two each takes the half that it adds to, and the half that it does not.
  let awaited = 2
  mesh.call = async (id, method, fields, options) => {
    const answer = await call(id, method, fields, options)
    if (method === 'take' && fields['part'] === 'dense 0' && --awaited === 0) setImmediate(resolve)
    return answer
  }
  return promise
}

/** A step whose first bucket is ready long before the second, which is computed only when the first has been exchanged. */
function stepOf(mesh: Mesh) {
  const exchanged = firstBucketOf(mesh)
  const hold: HostFunction = async ([value]) => {
    await exchanged
    return [value!]
  }
  const x = placeholder({ shape: [4, 4], name: 'x' })
  const product = (from: Tensor, name: string): Tensor => matmul(from, x, { name })
  const [held] = hostFunction([product(product(x, 'one'), 'two')], hold, { types: [x.type], name: 'hold' })
  const [last, first] = ['last', 'first'].map((name) => variable(zeros([4, 4]), { name }))
  const pairs: GradientPair[] = [
    [product(product(held!, 'three'), 'four'), first!],
    [matmul(x, x, { transposeA: true, name: 'zero' }), last!],
  ]
  const group = new Generations(mesh).enter({ number: 1, members: ids })
  const means = allReduceGradients(group, pairs, { deadlineMs, bucketBytes: 1 })
  return { train: gradientDescent({ learningRate: 1 }).apply(means), variables: [first!, last!] }
}

describe.each(Object.keys(networks) as (keyof typeof networks)[])('two members %s', (name) => {
  it('exchange one bucket while they compute the next', async () => {
    const { meshes, close } = await networks[name]()
    const steps = meshes.map(stepOf)
    const sessions = steps.map(() => new Session())
    await Promise.all(sessions.map((session, i) => session.initialize(steps[i]!.train)))
    const values = [1, 3].map((k) => Array.from({ length: 4 }, (_, i) => [k, i, 0, -k]))
    const traces = await Promise.all(
      sessions.map(async (session, i) => {
        let events: readonly TraceEvent[] = []
        await session.run(steps[i]!.train, { x: values[i]! }, { onTrace: (seen) => (events = seen) })
        return events
      }),
    )
    for (const events of traces) {
      const order = events.map(({ node }) => node.replace('allReduce/', ''))
      // What goes on beside kernels is recorded when it ends.
      const [firstBucket, secondBucket] = order.flatMap((node, i) => (node.startsWith('begin') ? [i] : []))
      expect(firstBucket).toBeLessThan(order.indexOf('three'))
      expect(secondBucket).toBeGreaterThan(order.indexOf('four'))
      const begun = events[firstBucket!]!.startMs
      expect(begun).toBeGreaterThanOrEqual(events[order.indexOf('zero')]!.startMs)
      expect(begun).toBeLessThanOrEqual(events[order.indexOf('one')]!.startMs)
    }
    const trained = await Promise.all(sessions.map((session, i) => session.run(steps[i]!.variables)))
    expect(trained[0]!.map((a) => a.toArray())).toEqual(trained[1]!.map((a) => a.toArray()))
    expect(trained[0]![1]!.toArray()).not.toEqual(trained[0]![0]!.toArray())
    await Promise.all(sessions.map((session) => session.close()))
    await close()
  })
})
