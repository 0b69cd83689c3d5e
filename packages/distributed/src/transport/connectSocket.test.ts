import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { connectSocket } from './connectSocket.ts'

const deadlineMs = 20_000
const named = (node: string) => ({ cluster: 'test', node, role: 'worker' })

/** Two ends of a stream, both of which stand still. */
async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1').pause()
  const [[far]] = (await Promise.all([once(server, 'connection'), once(near, 'connect')])) as [
    [Socket],
    unknown,
  ]
  server.close()
  return [near, far]
}

describe('connectSocket', () => {
  it('makes a connection of each end of a stream, to the peer that was named', async () => {
    const [one, other] = await socketPair()
    // What one end says before the other is looked after is not lost.
    const connecting = connectSocket(one, named('b'), { deadlineMs })
    const [near, far] = await Promise.all([connecting, connectSocket(other, named('a'), { deadlineMs })])
    far.serve({ echo: async (message) => message })
    const message = { head: Uint8Array.of(1, 2), tensors: [] }
    expect([...(await near.call('echo', message, { deadlineMs })).head]).toEqual([1, 2])
    expect([near.peer.node, far.peer.node]).toEqual(['b', 'a'])
    await near.close()
    expect(await far.closed).toBeUndefined()
  })

  it('says that the other end is no peer, and lets go of it', async () => {
    const [one, other] = await socketPair()
    other.end('GET / HTTP/1.1\r\n\r\n'.repeat(10))
    await expect(connectSocket(one, named('b'), { deadlineMs })).rejects.toThrow(
      "'b' does not answer as a peer",
    )
    expect(one.destroyed).toBe(true)
  })

  it('gives up when it is asked to', async () => {
    const [one] = await socketPair()
    const control = new AbortController()
    const connecting = connectSocket(one, named('b'), { deadlineMs, signal: control.signal })
    control.abort(new Error('the task was stopped'))
    await expect(connecting).rejects.toThrow("a stream of worker 'b' was withdrawn: the task was stopped")
    expect(one.destroyed).toBe(true)
  })
})
