import { NDArray, ndarray } from '@shoal/core'
import { transportSuite } from '@shoal/conformance/suites'
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
    await near.call('mark', { head: new Uint8Array(0), tensors: [new NDArray('int32', [2], shared), ndarray(own)] }, { deadlineMs })
    expect([shared[0], own[0], own.length]).toEqual([7, 0, 2])
    expect(near.traffic().sent).toBe(8)
    await near.close()
  })
})
