import { Worker } from 'node:worker_threads'
import { openProxy, type PairOptions, transportSuite } from '@shoal/conformance/transports'
import { NDArray } from '@shoal/core'
import { afterAll, describe, expect, it } from 'vitest'
import { ConnectError, SecurityError } from '../errors.ts'
import { ClusterAuthority } from '../security/authority.ts'
import type { Connection } from './contract.ts'
import { ThreadedTransport, type ThreadedOptions } from './threadedTransport.ts'

const deadlineMs = 20_000
const empty = { head: new Uint8Array(0), tensors: [] }
const authority = await ClusterAuthority.create()
const credentials = await authority.issue({ node: 'n1', role: 'worker' })
const started: ThreadedTransport[] = []
const start = (options: ThreadedOptions): ThreadedTransport => {
  const transport = new ThreadedTransport(options)
  started.push(transport)
  return transport
}
afterAll(() => Promise.all(started.map((transport) => transport[Symbol.asyncDispose]())))

async function pairOf(transport: ThreadedTransport, { mortal }: PairOptions = {}) {
  const accepted = Promise.withResolvers<Connection>()
  const listener = await transport.listen('127.0.0.1:0', { connected: accepted.resolve })
  const proxy = await openProxy(listener.address)
  const near = await transport.connect((mortal ? proxy : listener).address, { deadlineMs })
  const close = async (): Promise<void> => {
    await Promise.all([proxy.close(), listener.close()])
  }
  return { near, far: await accepted.promise, close, kill: proxy.kill, stall: proxy.stall }
}

/** Threads by how much they serve: starting one for every test would be most of the time. */
const threads = new Map<number | undefined, ThreadedTransport>()
function threadFor(servedBytes: number | undefined): ThreadedTransport {
  const thread =
    threads.get(servedBytes) ??
    start({ credentials, frames: servedBytes === undefined ? {} : { servedBytes } })
  threads.set(servedBytes, thread)
  return thread
}

transportSuite(
  'sockets of another thread',
  ({ servedBytes, ...options } = {}) => pairOf(threadFor(servedBytes), options),
  { chunks: false },
)

describe('sockets of another thread', () => {
  const secure = start({ credentials })

  it('know the peer by its certificate, and hand tensors over in shared memory', async () => {
    const { near, far, close } = await pairOf(secure)
    const identity = { cluster: authority.cluster, node: 'n1', role: 'worker' }
    expect([near.peer, far.peer]).toMatchObject([identity, identity])
    far.serve({ echo: async (message) => message })
    const sent = new NDArray('float32', [2], Float32Array.of(1, 2))
    const { tensors } = await near.call('echo', { head: empty.head, tensors: [sent] }, { deadlineMs })
    expect(tensors[0]!.numbers()).toEqual([1, 2])
    expect(tensors[0]!.bytes.buffer).toBeInstanceOf(SharedArrayBuffer)
    await near.close()
    await close()
  })

  it('have float32 travel in 16 bits where that is asked for, in calls and in answers', async () => {
    const { near, far, close } = await pairOf(secure)
    const nearlyOne = 1 + 2 ** -20
    const sent = new NDArray('float32', [1], Float32Array.of(nearlyOne))
    let seen: number[] = []
    far.serve({
      echo: async ({ head, tensors }) => {
        seen = tensors[0]!.numbers()
        return { head, tensors: [sent], wire: 'bfloat16' }
      },
    })
    const message = { head: empty.head, tensors: [sent] }
    const plain = await near.call('echo', message, { deadlineMs })
    expect([seen, plain.tensors[0]!.numbers()]).toEqual([[nearlyOne], [1]])
    await near.call('echo', { ...message, wire: 'bfloat16' }, { deadlineMs })
    expect(seen).toEqual([1])
    await near.close()
    await close()
  })

  it('give signs of life while the main thread computes', async () => {
    const { near, far, close } = await pairOf(start({ credentials, frames: { aliveMs: 50 } }))
    far.serve({ echo: async (message) => message })
    // Three times what a silent peer would be dead after.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600)
    await expect(near.call('echo', empty, { deadlineMs })).resolves.toMatchObject({ tensors: [] })
    await near.close()
    await close()
  })

  it('send what they were given while the main thread computes', async () => {
    // The peer is a thread with sockets of its own; it wakes the main thread, which does nothing else meanwhile.
    const arrived = new Int32Array(new SharedArrayBuffer(4))
    const peer = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads')
      import(workerData.module).then(async ({ SocketTransport }) => {
        const transport = new SocketTransport({ credentials: workerData.credentials })
        const keep = ({ tensors: [x] }) => {
          Atomics.store(workerData.arrived, 0, x.data.every((value, i) => value === i % 1000) ? 1 : 2)
          Atomics.notify(workerData.arrived, 0)
          return { head: new Uint8Array(0), tensors: [] }
        }
        const listener = await transport.listen('127.0.0.1:0', { connected: (c) => c.serve({ keep }) })
        parentPort.postMessage(listener.address)
      })`,
      {
        eval: true,
        workerData: { module: new URL('./socket.ts', import.meta.url).href, credentials, arrived },
      },
    )
    const address = await new Promise<string>((resolve, reject) => {
      peer.once('message', resolve)
      peer.once('error', reject)
    })
    const near = await secure.connect(address, { deadlineMs })
    // Many chunks, for which the two sockets have to hear of each other again and again.
    const data = Float32Array.from({ length: 2 ** 21 }, (_, i) => i % 1000)
    const sent = near.call(
      'keep',
      { head: empty.head, tensors: [new NDArray('float32', [2 ** 21], data)] },
      { deadlineMs },
    )
    await new Promise((resolve) => setImmediate(resolve))
    expect(Atomics.wait(arrived, 0, 0, deadlineMs)).not.toBe('timed-out')
    expect(arrived[0]).toBe(1)
    await sent
    await near.close()
    await peer.terminate()
  })

  it('tell what went wrong as if they were here', async () => {
    expect(() => new ThreadedTransport({ insecure: false } as never)).toThrow(SecurityError)
    const clear = start({ insecure: true, log: () => undefined })
    await expect(clear.listen('192.0.2.1:0', { connected: () => undefined })).rejects.toThrow(SecurityError)
    const listener = await clear.listen('127.0.0.1:0', { connected: () => undefined })
    const { address } = listener
    await listener.close()
    await expect(clear.connect(address, { deadlineMs })).rejects.toThrow(ConnectError)
    const withdrawn = new AbortController()
    const connecting = secure.connect('192.0.2.1:9', { deadlineMs, signal: withdrawn.signal })
    withdrawn.abort(new Error('enough'))
    await expect(connecting).rejects.toThrow(/withdrawn|cannot be reached/)
    await clear[Symbol.asyncDispose]()
    await expect(clear.connect(address, { deadlineMs })).rejects.toThrow('the network thread has ended')
  })

  it('warn where they are insecure', async () => {
    const line = Promise.withResolvers<string>()
    start({ insecure: true, log: line.resolve })
    expect(await line.promise).toMatch(/^insecure: /)
  })
})
