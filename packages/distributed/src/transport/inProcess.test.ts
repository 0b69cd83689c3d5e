import { ndarray } from '@shoal/core'
import { transportSuite } from '@shoal/conformance/transports'
import { describe, expect, it } from 'vitest'
import type { Connection, Message } from './contract.ts'
import { InProcessTransport } from './inProcess.ts'

const near = { cluster: 'c', node: 'near', role: 'worker' }
const far = { cluster: 'c', node: 'far', role: 'ps' }

async function makePair(): Promise<{ near: Connection; far: Connection }> {
  const transport = new InProcessTransport(far)
  const accepted = Promise.withResolvers<Connection>()
  await transport.listen('a', { connected: accepted.resolve })
  return { near: await transport.as(near).connect('a', {}), far: await accepted.promise }
}

transportSuite('in-process', makePair, { chunks: false, mortal: false })

describe('the in-process transport', () => {
  it('hands tensors over as they are', async () => {
    const pair = await makePair()
    let seen: Message | undefined
    pair.far.serve({ take: async (message) => (seen = message) })
    const message = { head: new Uint8Array(0), tensors: [ndarray([1, 2])] }
    const answer = await pair.near.call('take', message, { deadlineMs: 5000 })
    expect(seen!.tensors[0]).toBe(message.tensors[0])
    expect(answer.tensors[0]).toBe(message.tensors[0])
    expect(pair.near.traffic()).toEqual({ sent: 0, received: 0, queued: 0 })
  })

  it('tells both ends who the other is', async () => {
    const pair = await makePair()
    expect([pair.near.peer, pair.far.peer]).toEqual([far, near])
  })

  it('refuses names that nobody has, and those that somebody has', async () => {
    const transport = new InProcessTransport(far)
    await expect(transport.connect('b', {})).rejects.toMatchObject({ name: 'ConnectError' })
    const listener = await transport.listen('b', { connected: () => {} })
    await expect(transport.listen('b', { connected: () => {} })).rejects.toMatchObject({
      name: 'ConnectError',
    })
    await listener.close()
    await (await transport.listen('b', { connected: () => {} })).close()
  })
})
