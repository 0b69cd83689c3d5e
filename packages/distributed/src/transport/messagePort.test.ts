import { NDArray, ndarray } from '@shoal/core'
import { transportSuite } from '@shoal/conformance/transports'
import { MessageChannel, Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import type { Connection } from './contract.ts'
import { connectPort } from './messagePort.ts'

const identity = (node: string) => ({ cluster: '', node, role: 'thread' })

async function makePair(): Promise<{ near: Connection; far: Connection; kill(): void }> {
  const { port1, port2 } = new MessageChannel()
  return {
    near: connectPort(port1, identity('far')),
    far: connectPort(port2, identity('near')),
    kill: () => port2.close(),
  }
}

transportSuite('threads', makePair, { chunks: false })

describe('ports', () => {
  const deadlineMs = 20_000

  it('pass shared memory without a copy, and leave other memory with its owner', async () => {
    const { near, far } = await makePair()
    far.serve({
      mark: async ({ tensors }) => {
        for (const { data } of tensors) (data as Int32Array)[0] = 7
        return { head: new Uint8Array(0), tensors: [] }
      },
    })
    const shared = new Int32Array(new SharedArrayBuffer(8))
    const own = new Int32Array(2)
    await near.call(
      'mark',
      { head: new Uint8Array(0), tensors: [new NDArray('int32', [2], shared), ndarray(own)] },
      { deadlineMs },
    )
    expect([shared[0], own[0], own.length]).toEqual([7, 0, 2])
    expect(near.traffic().sent).toBe(8)
    await near.close()
  })

  it('connect a thread, and notice when it is ended', async () => {
    const { port1, port2 } = new MessageChannel()
    const module = new URL('./messagePort.ts', import.meta.url).href
    const program = `
      import(${JSON.stringify(module)}).then(({ connectPort }) => {
        const main = connectPort(require('node:worker_threads').workerData, { cluster: '', node: 'main', role: '' })
        main.serve({ echo: async (message) => message, wait: () => main.call('waits', { head: new Uint8Array(0), tensors: [] }, { deadlineMs: 20000 }) })
      })`
    const thread = new Worker(program, { eval: true, workerData: port2, transferList: [port2] })
    const connection = connectPort(port1, identity('thread'))
    const shared = new NDArray('int32', [2], new Int32Array(new SharedArrayBuffer(8)).fill(3))
    const answer = await connection.call(
      'echo',
      { head: new Uint8Array(0), tensors: [shared] },
      { deadlineMs },
    )
    expect(answer.tensors[0]!.bytes.buffer).toBeInstanceOf(SharedArrayBuffer)
    ;(shared.data as Int32Array)[1] = 4
    expect(answer.tensors[0]!.numbers()).toEqual([3, 4])

    const waiting = Promise.withResolvers<void>()
    connection.serve({ waits: () => (waiting.resolve(), new Promise(() => {})) })
    const lost = connection
      .call('wait', { head: new Uint8Array(0), tensors: [] }, { deadlineMs })
      .catch((error: Error) => error)
    await waiting.promise
    await thread.terminate()
    expect(await lost).toMatchObject({
      name: 'ConnectionLostError',
      message: expect.stringMatching(/the thread of the peer ended/),
    })
  })
})
